import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone, waitUntilOnline } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { makeOps } from './opsProcess.ts';
import { TableBackups } from './tableBackup.ts';

const OURS = [
  { number: '4915100000001', name: 'Shop', method: 'qr' },
  { number: '4915100000002', name: 'Desk', method: 'code' },
] as const;
const CUSTOMERS = ['4915100000003', '4915100000004'] as const;
const ROUNDS = 3;
/** Baileys takes seconds for each waiting message that it cannot read, one after the other. */
const PATIENCE_MS = 120_000;

interface Line {
  readonly number: string;
  readonly connectionId: string;
}

describe('the restore drill: every table is lost, and Core and Sessions are put back as they were earlier', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-restore-'));
  const ops = makeOps({});
  let stack: RunningStack;
  let receiver: WebhookReceiver;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  let backups: TableBackups;
  let lines: readonly Line[] = [];
  beforeAll(async () => {
    [stack, receiver] = await Promise.all([
      startStack({
        dataDir,
        port: 0,
        live: false,
        workers: 2,
        say: () => undefined,
        onBroken: (reason) => expect.fail(reason),
      }),
      startWebhookReceiver(),
    ]);
    backups = new TableBackups(stack.dynamoDbEndpoint, stack.stage);
    whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    for (const { number, name } of OURS) await whatsApp.addPhone(number, name);
    for (const number of CUSTOMERS) await whatsApp.addPhone(number, 'Customer');
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    const webhook = await api.must('POST', '/v1/webhooks', { url: receiver.url });
    receiver.trust(String(webhook['secret']));
    const paired: Line[] = [];
    for (const phone of OURS) {
      paired.push({ number: phone.number, connectionId: await pairSandboxPhone(api, whatsApp, phone) });
    }
    lines = paired;
  });
  afterAll(async () => {
    backups.close();
    await receiver.stop();
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const eachPair = (): readonly { readonly line: Line; readonly customer: string }[] =>
    lines.flatMap((line) => CUSTOMERS.map((customer) => ({ line, customer })));
  const received = (): readonly unknown[] =>
    receiver.events.flatMap(({ type, data }) =>
      type === 'message.received' ? [(data['content'] as { readonly text: { readonly body: string } }).text.body] : [],
    );
  const shownTo = async (customer: string): Promise<readonly (string | undefined)[]> =>
    (await whatsApp.messages(customer)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  /** Every connection and every customer write to each other; resolves when all of it has arrived. Returns the message ids. */
  const converse = async (what: string): Promise<readonly string[]> => {
    const sent: string[] = [];
    const texts: { readonly customer: string; readonly out: string; readonly in: string }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { line, customer } of eachPair()) {
        const name = `${what} ${round} ${line.number} ${customer}`;
        const [toUs, toThem] = [`${name} to us`, `${name} to them`];
        await whatsApp.write(customer, line.number, toUs);
        const body = { to: `+${customer}`, type: 'text', text: { body: toThem } };
        sent.push(String((await api.must('POST', `/v1/connections/${line.connectionId}/messages`, body))['id']));
        texts.push({ customer, out: toThem, in: toUs });
      }
    }
    for (const customer of CUSTOMERS) {
      const expected = texts.filter((text) => text.customer === customer).map(({ out }) => out);
      await until(
        `${what} at the customer's phone`,
        () => shownTo(customer),
        (shown) => expected.every((text) => shown.includes(text)),
        PATIENCE_MS,
      );
    }
    // What nobody can read after the restore is asked for again, and each contact's requests have a budget.
    await until(
      `${what} at the webhook`,
      received,
      (found) => texts.every((text) => found.includes(text.in)),
      PATIENCE_MS,
    );
    return sent;
  };
  const storedIds = async (): Promise<readonly string[]> => {
    const pages = lines.map(({ connectionId }) =>
      api.must('GET', `/v1/connections/${connectionId}/messages?limit=100`),
    );
    return (await Promise.all(pages)).flatMap(({ data }) =>
      (data as readonly { readonly id: string }[]).map(({ id }) => id),
    );
  };
  const devices = async (): Promise<readonly unknown[]> =>
    (await whatsApp.phones())
      .filter(({ number }) => lines.some((line) => line.number === number))
      .map((phone) => phone.devices.map(({ id }) => id));

  it('brings every connection back without a new pairing, and from then on everybody reads everybody', async () => {
    await converse('before the backup');
    const [before, linked] = [await storedIds(), await devices()];
    const backup = await backups.take();
    await converse('after the backup');
    // Shards change hands, so that their epochs are past those in the backup.
    for (const index of [0, 1]) await stack.replaceWorker(index, 'SIGTERM');
    for (const { connectionId } of lines) await waitUntilOnline(api, connectionId);
    await converse('before the loss');
    for (const { index } of stack.workers()) await stack.removeWorker(index, 'SIGTERM');
    const waiting = eachPair().map(({ line, customer }) => ({
      line,
      customer,
      text: `waits ${line.number} ${customer}`,
    }));
    for (const { line, customer, text } of waiting) await whatsApp.write(customer, line.number, text);

    await backups.drop();
    await backups.putBack(backup);
    const restored = await ops('restore', '--data', dataDir);
    for (const _ of [0, 1]) await stack.addWorker();
    await until('what waited', received, (found) => waiting.every(({ text }) => found.includes(text)), PATIENCE_MS);
    const sent = await converse('after the restore');
    const counted = await whatsApp.stats();
    await converse('later');

    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(restored.stdout)).toMatchObject({ paired: lines.length, unpaired: 0, logs: 1 });
    expect(await devices()).toEqual(linked);
    const stored = await storedIds();
    expect([...before, ...sent].filter((id) => !stored.includes(id))).toEqual([]);
    const stats = await whatsApp.stats();
    expect(stats).toMatchObject({ duplicates: 0, overlap: 0, reusedKeys: 0, internalErrors: [] });
    // At first customers write under sessions that we have left behind, and repeat it under new ones. Then all is as before.
    expect(stats.undecryptable).toBe(counted.undecryptable);
    for (const customer of CUSTOMERS) expect(await whatsApp.failures(customer)).toEqual([]);
    // An event of after the restore never has the number of one that was told before it.
    expect(receiver.repeats()).toBe(0);
  });
});
