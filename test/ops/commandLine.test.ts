import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commands } from '../../ops/commandLine.ts';
import { makeOps, makeOpsHere } from './opsProcess.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-ops-'));
const keyFile = join(folder, 'key');
writeFileSync(keyFile, `hf_operator_${'x'.repeat(43)}\n`);
const noKey = join(folder, 'no-key');
writeFileSync(noKey, 'something else\n');
afterAll(() => rmSync(folder, { recursive: true }));
const somewhere = ['--url', 'http://127.0.0.1:1', '--key-file', keyFile];

describe('npm run ops', () => {
  const ops = makeOpsHere({});

  it('is a program that ends with the exit code of its line, and complains where others do not read on', async () => {
    const program = makeOps({});

    expect(await program('status', 'now')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/too much/),
    });
    expect(await program('--help')).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    [[], 'Say what to do: status, health,'],
    [['export'], 'There is no command "export". There are status,'],
    [['status', 'now'], '"now" is too much: ops status'],
    [['status', '--wait'], 'status does not take --wait.'],
    [['status', '--limit', '3'], 'status does not take --limit.'],
    [['status', '--colour'], "Unknown option '--colour'."],
    [['status', '--url', 'nowhere'], 'HOLDFAST_API_URL: Invalid URL (received "nowhere")'],
    [['status', '--url', 'http://127.0.0.1:1'], 'No operator key is named: give --key-file'],
    [['status', '--key-file', '/nowhere'], '--key-file alone names no Holdfast. Give --url with --key-file'],
    [['status', '--url', 'http://127.0.0.1:1', '--key-file', tmpdir()], 'is no file. Name one that holds an API key.'],
    [['status', '--url', 'http://127.0.0.1:1', '--key-file', '/nowhere'], 'There is no key file /nowhere.'],
    [['status', '--url', 'http://127.0.0.1:1', '--key-file', noKey], 'does not hold an API key of Holdfast.'],
    [['status', '--data', folder], 'No embedded stack runs on'],
    [['status', '--data', folder, '--stage', 'prod', '--queue-url-base', 'http://127.0.0.1:1/0/'], 'not both.'],
    [['suspend'], 'Name the stage on AWS: ops suspend --stage NAME.'],
    [['resume', '--region', 'eu-central-1'], 'Name the stage on AWS: ops resume --stage NAME.'],
    [['preflight', '--stage', 'Prod'], 'stage: must be 1 to 16 lower-case letters, digits and dashes'],
    [['preflight', '--shape', 'huge'], 'shape: Invalid option'],
    [['drain', ...somewhere], 'Say which: ops drain WORKER.'],
    [['redrive', ...somewhere], 'No stage is named: give --stage and --queue-url-base'],
    [
      ['redrive', 'letters', ...somewhere],
      'There are no dead letters of "letters", only of commands, events, deliveries, media.',
    ],
    [['redrive', 'events', '--limit', '0', ...somewhere], '--limit must be a whole number from 1 to 100000, not "0".'],
    [['redrive', '--by', 'a b', ...somewhere], '--by must be 1 to 64 letters'],
    [['dead-letters', 'letters', ...somewhere], 'There are no dead letters of "letters", only of commands,'],
    [['dead-letters', '--redrive', 'all', '--discard', 'all', ...somewhere], 'Give --redrive or --discard, not both.'],
    [['dead-letters', '--limit', '0', ...somewhere], '--limit must be a whole number from 1 to 1000, not "0".'],
    [['report', '--after', 'evt_1', ...somewhere], '--after needs --tenant-key-file.'],
    [['create-operator-key', ...somewhere], 'No stage is named'],
    [['whatsapp-version', '--set', '2.3', ...somewhere], '--set must be three numbers with dots, such as 2.3000.'],
    [['whatsapp-version', '--canary', '5', ...somewhere], '--canary needs --set.'],
    [
      ['whatsapp-version', '--set', '2.3000.1', '--canary', '100', ...somewhere],
      '--canary must be a whole number from 1 to 99, not "100".',
    ],
    [['whatsapp-version', '--promote', '--roll-back', ...somewhere], 'Give one of --set, --promote and --roll-back.'],
    [['whatsapp-version', '--by', 'a b', ...somewhere], '--by must be 1 to 64 letters'],
    [['status', '--promote', ...somewhere], 'status does not take --promote.'],
  ])('answers %j with one sentence and exit code 2', async (words, sentence) => {
    const { code, stdout, stderr } = await ops(...words);

    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('explains every command', async () => {
    const { code, stdout } = await ops('--help');

    expect(code).toBe(0);
    for (const name of Object.keys(commands)) expect(stdout).toContain(`\n  ${name}`);
  });

  it('explains one command alone, with what it takes', async () => {
    const { code, stdout } = await ops('drain', '--help');

    expect(code).toBe(0);
    expect(stdout).toContain('npm run ops -- drain WORKER [--wait]');
    expect(stdout).toContain('--data DIR');
    expect(stdout).not.toContain('redrive');
  });

  it('says its version without any Holdfast', async () => {
    const { code, stdout } = await ops('version', '--stage', 'nowhere', '--queue-url-base', 'http://127.0.0.1:1/0/');

    expect(code).toBe(0);
    expect(stdout).toMatch(/^Holdfast {2}\d+\.\d+\.\d+\nNode {6}24\.\S+\nBaileys {3}\d\S+\n$/);
  });

  it('says when nothing answers, and when something else does, with exit code 1', async () => {
    const server = createServer((_, response) => response.end('<html>hello</html>')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

    const nobody = await ops('health', ...somewhere);
    const stranger = await ops('health', '--url', url, '--key-file', keyFile);
    server.close();

    expect(nobody).toMatchObject({ code: 1, stderr: 'Nothing answers at http://127.0.0.1:1.\n' });
    expect(stranger).toMatchObject({ code: 1, stderr: `${url} answers, but not as Holdfast does.\n` });
  });

  it("gives restore the worker's own configuration, which says what is missing", async () => {
    const { code, stderr } = await makeOps({})('restore');

    expect(code).toBe(1);
    expect(stderr).toContain('HOLDFAST_TASK_ID');
  });

  it('takes the place from the environment', async () => {
    const named = makeOpsHere({ HOLDFAST_API_URL: 'http://127.0.0.1:1', HOLDFAST_OPERATOR_KEY_FILE: keyFile });

    expect(await named('status')).toMatchObject({ code: 1, stderr: 'Nothing answers at http://127.0.0.1:1.\n' });
    expect(await named('status', '--url', 'http://127.0.0.1:2')).toMatchObject({
      stderr: 'Nothing answers at http://127.0.0.1:2.\n',
    });
  });
});
