import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { WhatsAppClient } from './client.ts';
import { isCaughtUp, openPlainSocket, PlainAccount, pairByQr, textsOf, type PlainSocket } from './plainSocket.ts';
import { SavedState } from './savedState.ts';
import { silenceConsole } from './silenceConsole.ts';
import { until } from './until.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
/** A start takes a second of CPU, and the cores may be busy. */
const START_MS = 30_000;
const MAIN = join(import.meta.dirname, 'main.ts');

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}
interface Ready {
  readonly webSocketUrl: string;
  readonly controlUrl: string;
  readonly rootKey: string;
}

describe('the process of the simulator', () => {
  const children: ChildProcess[] = [];
  const open: PlainSocket[] = [];
  const folders: string[] = [];
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  const start = (...options: string[]): Started => {
    const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const texts = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    return { child, output: () => texts.out, errors: () => texts.err, ended };
  };
  const ready = async ({ output }: Started): Promise<Ready> =>
    JSON.parse(await until('the ready line', output, (text) => text.endsWith('\n'), START_MS)) as Ready;

  it('goes on where it stopped: after SIGTERM, and after a kill', { timeout: 3 * START_MS }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'whatsapp-'));
    folders.push(folder);
    const first = start('--state-dir', folder);
    const before = await ready(first);
    const client = new WhatsAppClient(before.controlUrl);
    for (const number of [ANN, BOB]) await client.addPhone(number, 'Somebody');
    const account = new PlainAccount();
    const ann = await pairByQr(account, before, (qr) => client.scan(ANN, qr));
    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'before' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.length === 1,
    );
    ann.close();
    await client.write(BOB, ANN, 'while you were away');
    const { id: group } = await client.addGroup(BOB, 'Club', [ANN]);
    await client.writeAhead(BOB, ANN, 'held back');
    first.child.kill('SIGTERM');
    const exitCode = await first.ended;

    const second = start('--state-dir', folder);
    const between = await ready(second);
    const restarted = new WhatsAppClient(between.controlUrl);
    await restarted.release(BOB);
    await restarted.write(BOB, group, 'in the club');
    await until(
      'the save of the last change',
      () => waitingIn(folder, ANN),
      (count) => count === 4,
    );
    second.child.kill('SIGKILL');
    await second.ended;
    const third = start('--state-dir', folder);
    const after = await ready(third);
    const again = openPlainSocket(account, after);
    open.push(again);
    await again.until('the end of the offline queue', isCaughtUp);
    await until(
      'the backlog',
      () => textsOf(again),
      (texts) => texts.length >= 3,
    );

    expect(exitCode).toBe(0);
    expect(first.output().trim().split('\n')).toHaveLength(1);
    expect([between.rootKey, after.rootKey]).toEqual([before.rootKey, before.rootKey]);
    expect(textsOf(again)).toEqual(['while you were away', 'held back', 'in the club']);
    expect(await new WhatsAppClient(after.controlUrl).stats()).toMatchObject({ undecryptable: 0 });
  });

  it.each(['--port', '--control-port'])(
    'says in one line that the port of %s is taken, and ends with 1',
    async (option) => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as { readonly port: number };

      const started = start(option, String(port));
      const exitCode = await started.ended;
      holder.close();

      expect(exitCode).toBe(1);
      expect(started.output()).toBe('');
      expect(started.errors()).toMatch(/^The simulator's port is taken: .*\n$/);
      expect(started.errors()).toContain(String(port));
    },
  );

  it.each<readonly [what: string, spoil: (file: string) => void]>([
    ['is no database', (file) => writeFileSync(file, 'no database')],
    ['was cut short', (file) => truncateSync(file, statSync(file).size - 4_096)],
    ['is of another version', (file) => using(file, (database) => database.exec('PRAGMA user_version = 2'))],
  ])('says in one line that a state %s', async (what, spoil) => {
    const folder = mkdtempSync(join(tmpdir(), 'whatsapp-'));
    folders.push(folder);
    new SavedState(folder).close();
    spoil(join(folder, 'whatsapp.sqlite'));

    const started = start('--state-dir', folder);
    expect(await started.ended).toBe(1);

    expect(started.errors()).toMatch(
      /^The state in .* is (not whole|of another version of the simulator)\. Remove the folder to start anew\.\n$/,
    );
    expect(started.errors().includes('another version')).toBe(what === 'is of another version');
  });

  it.each([
    [['--port', 'http'], '--port must be a number'],
    [['--colour', 'red'], '--colour'],
  ])('says in one line what is wrong with %j', async (options, sentence) => {
    const started = start(...options);

    expect(await started.ended).toBe(1);
    expect(started.errors().trim().split('\n')).toHaveLength(1);
    expect(started.errors()).toContain(sentence);
  });
});

/** How many stanzas wait for the devices of an account in a saved state. */
function waitingIn(folder: string, number: string): number {
  return using(join(folder, 'whatsapp.sqlite'), (database) =>
    Number(
      database.prepare('SELECT count(*) AS count FROM records WHERE key LIKE ?').get(`pending/${number}/%`)?.['count'],
    ),
  );
}

function using<Result>(file: string, act: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(file);
  try {
    return act(database);
  } finally {
    database.close();
  }
}
