/**
 * `node worker/status/askHealth.ts PORT`: exits 0 when a worker on this machine answers `/health` with 200 in time, and
 * otherwise 1 with a sentence. It asks about nothing but the process: a store or a WhatsApp that is down must not have
 * every worker restarted, which would close the sockets that are still open.
 */
const IN_TIME_MS = 3_000;

const url = `http://127.0.0.1:${process.argv[2] ?? ''}/health`;
try {
  const { status } = await fetch(url, { signal: AbortSignal.timeout(IN_TIME_MS) });
  if (status !== 200) fail(`${url} answered ${status}`);
} catch (error) {
  fail(`${url} did not answer: ${(error as Error).message}`);
}

function fail(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
