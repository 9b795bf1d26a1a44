import { waitUntilOnline } from '../../infra/local/pairing.ts';
import { until } from '../../infra/local/until.ts';
import { runningFunctions } from '../infra/local/runningFunctions.ts';
import type { PairedStack } from './pairedStack.ts';

/** What the phones and the product say of a bulk send that has ended. */
export interface SentBulk {
  /** The texts that each phone shows, in its order. */
  readonly shown: ReadonlyMap<string, readonly string[]>;
  /** The texts that each was to show. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
  readonly bulk: Readonly<Record<string, unknown>>;
  /** The states that were told in events of the bulk send, in their order. */
  readonly told: readonly unknown[];
  /** How many others its phone showed before a single message, which was asked for when a tenth had left. */
  readonly singleAt: number;
  readonly seconds: number;
}

const SINGLE = 'a single message between them';

/**
 * Sends many messages in one request to some phones in turn, while workers and all functions are killed at even distances, and
 * a single message is asked for when a tenth has left.
 */
export async function sendBulk(
  { api, phones, receiver, stack, connection }: PairedStack,
  recipients: readonly string[],
  {
    messages,
    workerKills,
    functionKills,
  }: { readonly messages: number; readonly workerKills: number; readonly functionKills: number },
): Promise<SentBulk> {
  const asked = new Map<string, string[]>(recipients.map((number) => [number, []]));
  const lines = Array.from({ length: messages }, (_, line) => {
    const number = recipients[line % recipients.length] ?? '';
    const body = `line ${line}`;
    asked.get(number)?.push(body);
    return JSON.stringify({ to: `+${number}`, type: 'text', text: { body } });
  });
  const path = `/v1/connections/${connection}/bulk-sends`;
  const startedMs = performance.now();
  const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': `bulk-of-${messages}` };
  const { id } = await api.must('POST', path, lines.join('\n'), headers);
  // A caller that got no answer asks once more.
  await api.must('POST', path, lines.join('\n'), headers);
  const read = async () => api.must('GET', `${path}/${String(id)}`);
  const doneAt = (count: number) =>
    until('the messages', read, (bulk) => Number(bulk['done']) >= count, 20_000 + messages * 100);

  const kills = [
    ...Array.from({ length: workerKills }, (_, kill) => ({ at: (kill + 0.5) / workerKills, what: 'worker' as const })),
    ...Array.from({ length: functionKills }, (_, kill) => ({
      at: (kill + 1) / (functionKills + 1),
      what: 'functions' as const,
    })),
  ].toSorted((one, other) => one.at - other.at);
  await doneAt(Math.floor(messages / 10));
  const single = { to: `+${recipients[0]}`, type: 'text', text: { body: SINGLE } };
  await api.must('POST', `/v1/connections/${connection}/messages`, single);
  const statusOf = () =>
    api.call('GET', path).then(
      ({ status }) => status,
      () => 0,
    );
  const untilTheApiAnswers = () => until('the API', statusOf, (status) => status === 200);
  for (const { at, what } of kills) {
    await doneAt(Math.floor(at * messages));
    if (what === 'functions') for (const pid of runningFunctions()) process.kill(pid, 'SIGKILL');
    else {
      await stack.replaceWorker(0, 'SIGKILL');
      await untilTheApiAnswers();
      await waitUntilOnline(api, connection);
    }
    await untilTheApiAnswers();
  }
  const bulk = await until('its end', read, ({ status }) => status === 'finished', 60_000 + messages * 100);
  const seconds = (performance.now() - startedMs) / 1_000;
  const told = () =>
    receiver.events.flatMap(({ type, data }) =>
      type === 'bulk_send.status' && data['bulkSendId'] === id ? [data['status']] : [],
    );
  await until('its event', told, (states) => states.includes('finished'));
  const transcripts = await Promise.all(
    recipients.map(async (number) => {
      const texts = (await phones.messages(number)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
      return [number, texts] as const;
    }),
  );
  const singleAt = transcripts[0]?.[1].indexOf(SINGLE) ?? -1;
  const shown = new Map(transcripts.map(([number, texts]) => [number, texts.filter((text) => text !== SINGLE)]));
  return { shown, asked, bulk, told: told(), singleAt, seconds };
}
