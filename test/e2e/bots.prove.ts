import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant } from '../../infra/local/apiClient.ts';
import { findFreePort } from '../../infra/local/dynamoDb.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

/** The bots of docs/bots.md, as they stand there: people copy them. */
const page = readFileSync(resolve(import.meta.dirname, '../../docs/bots.md'), 'utf8');
const bots = [
  { language: 'js', file: 'bot.mjs', program: process.execPath, shop: '4915100000011', customer: '4915100000012' },
  { language: 'python', file: 'bot.py', program: 'python3', shop: '4915100000021', customer: '4915100000022' },
] as const;
const TEXTS = ['Hello', 'Grüße 👋🏽 और 👨‍👩‍👧‍👦', '"quoted"\nand a second line'];

function codeOf({ language, file }: (typeof bots)[number]): string {
  const found = [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].find(
    ([, named, code]) => named === language && code?.includes(file),
  );
  if (found?.[2] === undefined) throw new Error(`docs/bots.md has no ${file}.`);
  return found[2];
}

describe('the bots of the documents', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-bots-'));
  const running: ChildProcess[] = [];
  let stack: RunningStack;
  let whatsApp: WhatsAppClient;
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
  });
  afterAll(async () => {
    for (const child of running) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each(bots)('$file has at most 25 lines of code and nothing but its standard library', (bot) => {
    const lines = codeOf(bot)
      .split('\n')
      .filter((line) => line.trim() !== '');

    // The name of the file stands above it.
    expect(lines.length - 1).toBeLessThanOrEqual(25);
  });

  it.for(bots)(
    '$file answers what people write, emoji too, and refuses what was not sent by us',
    async (bot, { skip }) => {
      const { file, program, shop, customer } = bot;
      const canRun = spawnSync(program, ['--version']).status === 0;
      if (!canRun) process.stderr.write(`${file} was not tried: there is no ${program} on this machine.\n`);
      skip(!canRun, `there is no ${program}`);
      writeFileSync(join(dataDir, file), codeOf(bot));
      const port = await findFreePort();
      const url = `http://127.0.0.1:${port}`;
      await whatsApp.addPhone(shop, 'Shop 🛒');
      await whatsApp.addPhone(customer, 'Ann 🌻');
      const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Bots');
      const { secret } = await api.must('POST', '/v1/webhooks', { url });
      const child = spawn(program, [join(dataDir, file)], {
        env: { PATH: process.env['PATH'], API: stack.apiUrl, KEY: api.key, SECRET: String(secret), PORT: String(port) },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      running.push(child);
      let complaints = '';
      child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      await until('the bot listening', () => isListening(port), Boolean);
      await pairSandboxPhone(api, whatsApp, { number: shop, method: 'qr' });

      // Webhooks come in no fixed order, so each text waits for the answer to the one before.
      let answered: readonly (string | undefined)[] = [];
      for (const [index, text] of TEXTS.entries()) {
        await whatsApp.write(customer, shop, text);
        answered = await until(
          `answers of ${file}`,
          async () => (await whatsApp.messages(customer)).filter(({ fromMe }) => !fromMe).map(({ text: said }) => said),
          (texts) => texts.length > index,
        );
      }
      const forged = await fetch(url, {
        method: 'POST',
        headers: {
          'webhook-id': 'evt_1',
          'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
          'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')} v1,${'\u00ff'.repeat(44)}`,
        },
        body: '{}',
      });

      expect(answered).toEqual(TEXTS.map((text) => `echo: ${text}`));
      expect(forged.status).toBe(401);
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
      expect(complaints).not.toMatch(/Traceback|Error/);
    },
  );
});

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
