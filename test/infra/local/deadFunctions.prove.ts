import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant } from '../../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../../infra/local/pairing.ts';
import { startStack } from '../../../infra/local/stack.ts';
import type { RunningStack } from '../../../infra/local/stackOptions.ts';
import { until } from '../../../infra/local/until.ts';
import { WhatsAppClient } from '../../whatsapp/client.ts';
import { runningFunctions } from './runningFunctions.ts';

const SHOP = '4915100000001';
const CUSTOMER = '4915100000003';
const MESSAGES = 40;
/** How long the work of a function that died may lie. */
const GOES_ON_MS = 45_000;

describe('work in the hands of functions that are killed', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-dead-'));
  /** When each message was told, by its text. */
  const told = new Map<string, number>();
  /** While it hangs the receiver takes posts and answers none. */
  const receiver = { hangs: false, taken: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      receiver.taken += 1;
      if (receiver.hangs) return;
      const { type, data } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly type: string;
        readonly data: { readonly content?: { readonly text?: { readonly body: string } } };
      };
      const text = data.content?.text?.body;
      if (type === 'message.received' && text !== undefined) told.set(text, performance.now());
      response.writeHead(204).end();
    });
  });
  let stack: RunningStack;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
  });
  afterAll(async () => {
    await stack.stop();
    server.closeAllConnections();
    server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('goes on within 45 s, and nothing of it is lost', async () => {
    const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    await whatsApp.addPhone(SHOP, 'Shop');
    await whatsApp.addPhone(CUSTOMER, 'Customer');
    const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    await api.must('POST', '/v1/webhooks', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    await pairSandboxPhone(api, whatsApp, { number: SHOP, method: 'qr' });
    receiver.hangs = true;
    receiver.taken = 0;
    const texts = Array.from({ length: MESSAGES }, (_, place) => `message ${place}`);
    for (const text of texts) await whatsApp.write(CUSTOMER, SHOP, text);
    await until(
      'the first post',
      () => receiver.taken,
      (taken) => taken > 0,
    );

    const processes = runningFunctions();
    for (const pid of processes) process.kill(pid, 'SIGKILL');
    const killedMs = performance.now();
    receiver.hangs = false;
    await until(
      'all messages',
      () => texts.filter((text) => told.has(text)).length,
      (count) => count === MESSAGES,
      2 * GOES_ON_MS,
    );

    const lastMs = Math.max(...told.values()) - killedMs;
    expect(processes.length).toBeGreaterThan(0);
    expect(lastMs).toBeLessThanOrEqual(GOES_ON_MS);
  });
});
