import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntilOnline } from '../../infra/local/pairing.ts';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import type { WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000031';
const CUSTOMER = '4915100000032';

describe('messages with a time, through every process of the embedded stack', () => {
  let stage: PairedStack;
  let stack: RunningStack;
  let receiver: WebhookReceiver;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  let shop = '';
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, CUSTOMER);
    ({ stack, receiver, phones: whatsApp, api, connection: shop } = stage);
  });
  afterAll(() => stage.stop());

  const send = async (text: string, times: Record<string, unknown>): Promise<string> => {
    const body = { to: `+${CUSTOMER}`, type: 'text', text: { body: text }, ...times };
    return String((await api.must('POST', `/v1/connections/${shop}/messages`, body))['id']);
  };
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
  const arrived = async (): Promise<readonly unknown[]> =>
    (await whatsApp.messages(CUSTOMER)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  const toldOf = (messageId: string): readonly unknown[] =>
    receiver.events.flatMap(({ type, data }) =>
      type === 'message.status' && data['messageId'] === messageId ? [data['status']] : [],
    );

  it('sends at its time although the worker is killed meanwhile, and neither earlier nor twice', async () => {
    const due = inSeconds(4);
    const id = await send('at its time', { not_before: due });
    await stack.replaceWorker(0, 'SIGKILL');
    await waitUntilOnline(api, shop);

    await until('the message', arrived, (texts) => texts.includes('at its time'));
    const told = await until(
      'its status',
      () => toldOf(id),
      (statuses) => statuses.includes('sent'),
    );
    const message = await api.must('GET', `/v1/connections/${shop}/messages/${id}`);

    expect(Date.parse(String(message['sentAt']))).toBeGreaterThanOrEqual(Date.parse(due));
    expect(told.filter((status) => status === 'sent')).toEqual(['sent']);
    expect((await arrived()).filter((text) => text === 'at its time')).toHaveLength(1);
  });

  it('expires while its connection is away, is told so then, and is not sent when it comes back', async () => {
    await api.must('POST', `/v1/connections/${shop}/stop`);
    await until(
      'the connection being off',
      async () => (await api.must('GET', `/v1/connections/${shop}`))['status'] as Record<string, unknown>,
      ({ status }) => status === 'off',
    );
    const stale = await send('a code that is stale', { expires_at: inSeconds(3) });
    const fresh = await send('a code that is fresh', { expires_at: inSeconds(600) });

    const told = await until(
      'its end',
      () => toldOf(stale),
      (statuses) => statuses.length > 0,
    );
    const parked = await api.must('GET', `/v1/connections/${shop}`);
    await api.must('POST', `/v1/connections/${shop}/start`);
    await until('the other one', arrived, (texts) => texts.includes('a code that is fresh'));

    expect(told).toEqual(['expired']);
    expect(parked['parkedMessages']).toBe(1);
    expect(await arrived()).not.toContain('a code that is stale');
    expect(await api.must('GET', `/v1/connections/${shop}/messages/${stale}`)).toMatchObject({
      status: 'expired',
      error: { code: 'expired' },
    });
    expect((await api.must('GET', `/v1/connections/${shop}/messages/${fresh}`))['status']).not.toBe('expired');
  });
});
