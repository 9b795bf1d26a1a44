import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, makeTenant } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone, waitUntilOnline } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

const SHOP = '4915100000001';
const CUSTOMER = '4915100000003';

describe('a conversation on the embedded stack, whose workers are drained, stopped and killed', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-restarts-'));
  let stack: RunningStack;
  let receiver: WebhookReceiver;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  let shop = '';
  const start = async (): Promise<void> => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 2,
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
  };
  beforeAll(async () => {
    await start();
    receiver = await startWebhookReceiver();
    await whatsApp.addPhone(SHOP, 'Shop');
    await whatsApp.addPhone(CUSTOMER, 'Customer');
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    const webhook = await api.must('POST', '/v1/webhooks', { url: receiver.url });
    receiver.trust(String(webhook['secret']));
    shop = await pairSandboxPhone(api, whatsApp, { number: SHOP, method: 'qr' });
  });
  afterAll(async () => {
    await receiver.stop();
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const send = (text: string, headers: Record<string, string> = {}) =>
    api.call(
      'POST',
      `/v1/connections/${shop}/messages`,
      { to: `+${CUSTOMER}`, type: 'text', text: { body: text } },
      headers,
    );
  const statusesOf = (messageId: unknown): readonly unknown[] =>
    receiver.events
      .filter(({ type, data }) => type === 'message.status' && data['messageId'] === messageId)
      .map(({ data }) => data['status']);

  it('shows operators the fleet, and drains a worker when they ask for it: its shards move, and another takes its place', async () => {
    const operator = new ApiClient(stack.apiUrl, stack.operatorKey);
    const ownersNow = async (): Promise<readonly unknown[]> => {
      const { shards } = await operator.must('GET', '/v1/admin/fleet');
      return (shards as readonly { readonly owner?: string }[]).map(({ owner }) => owner);
    };
    const [drained] = await until('owners', ownersNow, (owners) => !owners.includes(undefined));

    const asked = await operator.call('POST', `/v1/admin/workers/${String(drained)}/drain`);
    const again = await operator.call('POST', `/v1/admin/workers/${String(drained)}/drain`);
    await until(
      'all shards at others',
      ownersNow,
      (owners) => !owners.includes(undefined) && !owners.includes(drained),
    );
    await waitUntilOnline(api, shop);
    const unknown = await operator.call('POST', '/v1/admin/workers/wrk_nobody/drain');

    expect([asked.status, again.status, unknown.status]).toEqual([202, 409, 404]);
    expect((await whatsApp.stats()).overlap).toBe(0);
    await until(
      'its successor',
      () => stack.workers().map(({ workerId }) => workerId),
      (ids) => ids.length === 2 && !ids.includes(String(drained)),
    );
  });

  it('comes back by itself, with everything, after the whole stack was stopped and started again', async () => {
    await stack.stop();
    await start();
    api = api.at(stack.apiUrl);
    await waitUntilOnline(api, shop);

    const { json } = await send('still linked');
    await until(
      'the message',
      () => whatsApp.messages(CUSTOMER),
      (messages) => messages.some(({ text }) => text === 'still linked'),
    );

    await until(
      'the status',
      () => statusesOf(json['id']),
      (statuses) => statuses.includes('delivered'),
    );
    expect(await whatsApp.stats()).toMatchObject({ overlap: 0, undecryptable: 0, retryRequests: 0 });
  });

  it('survives a worker that is killed: no message is lost and none is shown twice', async () => {
    const before = (await whatsApp.messages(CUSTOMER)).length;
    const killed = [0, 1].map((index) => stack.replaceWorker(index, 'SIGKILL'));
    const texts = Array.from({ length: 5 }, (_, index) => `through the crash ${index}`);
    for (const text of texts) {
      expect((await send(text, { 'idempotency-key': text.replaceAll(' ', '-') })).status).toBe(202);
      await whatsApp.write(CUSTOMER, SHOP, `answer ${text}`);
    }
    await Promise.all(killed);
    const arrived = async () =>
      (await whatsApp.messages(CUSTOMER))
        .slice(before)
        .filter(({ fromMe }) => !fromMe)
        .map(({ text }) => text);
    await until('all messages', arrived, (found) => found.length >= texts.length);
    const answers = (): readonly unknown[] =>
      receiver.events.flatMap(({ type, data }) =>
        type === 'message.received' ? [(data['content'] as { text?: { body: string } }).text?.body] : [],
      );
    await until('all answers', answers, (found) => texts.every((text) => found.includes(`answer ${text}`)));

    const wanted = texts.map((text) => `answer ${text}`);
    const isWanted = (text: unknown): boolean => typeof text === 'string' && wanted.includes(text);
    expect(await arrived()).toEqual(texts);
    // Webhooks keep no order among themselves; the log does.
    const told = answers().filter(isWanted);
    expect([told.length, new Set(told)]).toEqual([wanted.length, new Set(wanted)]);
    const logged: unknown[] = [];
    for (let page: Record<string, unknown> = { hasMore: true }; page['hasMore'] === true;) {
      const after = page['next'] === undefined ? '' : `&after=${page['next'] as string}`;
      page = await api.must('GET', `/v1/events?limit=100${after}`);
      const events = page['data'] as { data: { content?: { text?: { body: string } } } }[];
      logged.push(...events.map(({ data }) => data.content?.text?.body));
    }
    expect(logged.filter(isWanted)).toEqual(wanted);
    expect(await whatsApp.stats()).toMatchObject({ overlap: 0, duplicates: 0, internalErrors: [] });
  });
});
