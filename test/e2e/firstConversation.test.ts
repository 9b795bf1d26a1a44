import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { findSecrets } from '../quiet/findSecrets.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

const SHOP = '4915100000001';
const CUSTOMER = '4915100000003';
const SECRET_TEXT = 'a sentence that no log may hold';

/** `restarts.prove.ts` drains, stops and kills workers meanwhile, and `everyKind.prove.ts` brings every kind of message. */
describe('the first conversation, through every process of the embedded stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  let stack: RunningStack;
  let receiver: WebhookReceiver;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  let shop = '';
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      workerSettings: { HOLDFAST_LOG_LEVEL: 'debug' },
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
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

  it('sends a text that the other phone decrypts, and tells of sent, delivered and read by signed webhooks', async () => {
    const { json } = await send(SECRET_TEXT);
    const [message] = await until(
      'the message',
      () => whatsApp.messages(CUSTOMER),
      (messages) => messages.length === 1,
    );
    await whatsApp.read(CUSTOMER, message?.id ?? '');

    await until(
      'the statuses',
      () => statusesOf(json['id']),
      (statuses) => statuses.length === 3,
    );
    expect(message).toMatchObject({ text: SECRET_TEXT, id: json['stanzaId'], copies: 1 });
    // Webhooks keep no order among themselves; the log does.
    const log = await api.must('GET', '/v1/events?limit=100');
    const inLog = (log['data'] as { type: string; data: { messageId?: unknown; status?: unknown } }[])
      .filter(({ type, data }) => type === 'message.status' && data.messageId === json['id'])
      .map(({ data }) => data.status);
    expect(inLog).toEqual(['sent', 'delivered', 'read']);
    expect(receiver.forged()).toBe(0);
    const read = await api.must('GET', `/v1/connections/${shop}/messages/${String(json['id'])}`);
    expect(read['status']).toBe('read');
  });

  it('tells of a received text, by webhook and in the event log', async () => {
    await whatsApp.write(CUSTOMER, SHOP, 'is anybody there?');
    const received = await until(
      'the webhook',
      () => receiver.events.find(({ type }) => type === 'message.received'),
      (event) => event !== undefined,
    );

    const log = await api.must('GET', '/v1/events');
    expect(received?.data['content']).toEqual({ type: 'text', text: { body: 'is anybody there?' } });
    expect((log['data'] as { id: string }[]).map(({ id }) => id)).toContain(received?.id);
    const list = await api.must('GET', `/v1/connections/${shop}/messages`);
    expect((list['data'] as { direction: string }[]).map(({ direction }) => direction)).toContain('in');
  });

  it('tells of a picture, a voice message, a file and what was chosen of a list, and gives no key away', async () => {
    const raw = async (message: proto.IMessage): Promise<string> => {
      const plaintext = Buffer.from(proto.Message.encode(message).finish()).toString('base64');
      return (await whatsApp.raw(CUSTOMER, { to: SHOP, plaintext })).id;
    };
    const mediaKey = Buffer.alloc(32, 7);
    const stored = { mediaKey, directPath: '/v/1', fileEncSha256: Buffer.alloc(32, 1), fileLength: 15_322 };
    const photo = { kind: 'image', data: Buffer.from('a picture'), mimetype: 'image/jpeg' } as const;
    const picture = await whatsApp.writeMedia(CUSTOMER, SHOP, photo, 'this size?');
    const voice = await raw({ audioMessage: { ...stored, mimetype: 'audio/ogg; codecs=opus', seconds: 6, ptt: true } });
    const file = { mimetype: 'application/pdf', fileName: 'a.pdf', caption: 'as promised' };
    const document = await raw({
      documentWithCaptionMessage: { message: { documentMessage: { ...stored, ...file } } },
    });
    const reply = { title: '9:00', singleSelectReply: { selectedRowId: 'mon-9' } };
    const choice = await raw({ listResponseMessage: reply });

    const dataOf = (id: string): Readonly<Record<string, unknown>> | undefined =>
      receiver.events.find(({ type, data }) => type === 'message.received' && data['stanzaId'] === id)?.data;
    const told = await until(
      'the webhooks',
      () => [picture, voice, document, choice].map(dataOf).filter((data) => data !== undefined),
      ({ length }) => length === 4,
    );
    expect(told.map(({ content, flags }) => ({ content, flags }))).toMatchObject([
      { content: { type: 'image', image: { mime_type: 'image/jpeg', bytes: 9, caption: 'this size?' } } },
      { content: { type: 'audio', audio: { mime_type: 'audio/ogg; codecs=opus', duration: 6, voice: true } } },
      {
        content: { type: 'document', document: { filename: 'a.pdf', caption: 'as promised' } },
        flags: ['documentWithCaption'],
      },
      {
        content: {
          type: 'interactive',
          interactive: { type: 'list_reply', list_reply: { id: 'mon-9', title: '9:00' } },
        },
      },
    ]);
    const shown = await api.must('GET', `/v1/connections/${shop}/messages/${String(told[1]?.['messageId'])}`);
    expect(shown['content']).toEqual(told[1]?.['content']);
    expect(JSON.stringify([told, shown])).not.toContain(mediaKey.toString('base64'));
  });

  it('follows one message from API call to log, event and webhook by its correlation id', async () => {
    const correlationId = 'follow-me-0001';
    const answer = await send('follow me', { 'x-correlation-id': correlationId });
    await until(
      'the statuses',
      () => statusesOf(answer.json['id']),
      (statuses) => statuses.includes('delivered'),
    );

    const sent = receiver.events.find(
      ({ data }) => data['messageId'] === answer.json['id'] && data['status'] === 'sent',
    );
    const log = await api.must('GET', '/v1/events?limit=100');
    const inLog = (log['data'] as { id: string; correlationId: string }[]).find(({ id }) => id === sent?.id);
    const lines = (file: string): boolean => readFileSync(join(dataDir, 'logs', file), 'utf8').includes(correlationId);
    expect(answer.headers.get('x-correlation-id')).toBe(correlationId);
    expect([sent?.correlationId, inLog?.correlationId]).toEqual([correlationId, correlationId]);
    expect([lines('functions.log'), lines('worker-1.log')]).toEqual([true, true]);
  });

  it('applies changed settings to the live socket: calls are refused, and messages marked as read', async () => {
    const logins = (await whatsApp.stats()).logins[SHOP]?.length;
    await api.must('PATCH', `/v1/connections/${shop}`, { settings: { readReceipts: 'automatic', calls: 'reject' } });

    // Until the owner has heard of the change, calls ring.
    const calls: string[] = [];
    await until(
      'a refused call',
      async () => {
        if (calls.length < 20) calls.push(await whatsApp.call(CUSTOMER, SHOP));
        await new Promise((resolve) => setTimeout(resolve, 500));
        return whatsApp.calls(CUSTOMER);
      },
      (made) => made.some(({ state }) => state === 'rejected'),
    );
    const refused = await until(
      'the webhook',
      () => receiver.events.find(({ type, data }) => type === 'call.received' && data['rejected'] === true),
      (event) => event !== undefined,
    );
    const written = await whatsApp.write(CUSTOMER, SHOP, 'mark this as read');
    await until(
      'the mark',
      () => whatsApp.messages(CUSTOMER),
      (messages) => messages.find(({ id }) => id === written)?.status === 'read',
    );

    expect(calls).toContain(refused?.data['callId']);
    expect((await whatsApp.stats()).logins[SHOP]?.length).toBe(logins);
  });

  it('tells how far a message came with each member of a group, and moves it with the slowest', async () => {
    const OTHER = '4915100000004';
    await whatsApp.addPhone(OTHER, 'Other');
    const { id: group } = await whatsApp.addGroup(CUSTOMER, 'Orders', [SHOP, OTHER]);
    const body = { to: group, type: 'text', text: { body: 'to all of you' } };
    const sent = await api.must('POST', `/v1/connections/${shop}/messages`, body);
    const path = `/v1/connections/${shop}/messages/${String(sent['id'])}`;
    const shownAt = (number: string) =>
      until(
        number,
        async () => (await whatsApp.messages(number)).find(({ text }) => text === 'to all of you')?.id,
        (id) => id !== undefined,
      );
    const becomes = (status: string) =>
      until(
        status,
        () => statusesOf(sent['id']),
        (statuses) => statuses.includes(status),
      );
    const receipts = async () => api.must('GET', `${path}/receipts`);

    await becomes('delivered');
    const ids = [await shownAt(CUSTOMER), await shownAt(OTHER)];
    await whatsApp.read(CUSTOMER, ids[0] ?? '');
    const half = await until('the first who has read it', receipts, ({ members }) => {
      const { read } = members as { readonly read: number };
      return read === 1;
    });
    const before = (await api.must('GET', path))['status'];
    await whatsApp.read(OTHER, ids[1] ?? '');
    await becomes('read');

    expect(half['members']).toEqual({ total: 2, delivered: 2, read: 1, played: 0 });
    expect(before).toBe('delivered');
    const { data, members } = await receipts();
    expect(members).toEqual({ total: 2, delivered: 2, read: 2, played: 0 });
    const numbers = (data as { recipient: { phoneNumber?: string }; readAt?: string }[]).map(
      ({ recipient, readAt }) => [recipient.phoneNumber, typeof readAt],
    );
    expect(new Map(numbers as [string, string][])).toEqual(
      new Map([
        [`+${CUSTOMER}`, 'string'],
        [`+${OTHER}`, 'string'],
      ]),
    );
  });

  it('marks what came as read and played, is there for a while, refuses a call, and tells what became of one', async () => {
    const settings = { readReceipts: 'manual', calls: 'ignore' };
    await api.must('PATCH', `/v1/connections/${shop}`, { settings });
    const ask = (path: string, body: object = {}) =>
      api.must('POST', `/v1/connections/${shop}/${path}`, body, { prefer: 'wait=20' });
    const written = await whatsApp.write(CUSTOMER, SHOP, 'to be marked');
    const received = await until(
      'the event',
      () => receiver.events.find(({ type, data }) => type === 'message.received' && data['stanzaId'] === written),
      (event) => event !== undefined,
    );
    const messageId = String(received?.data['messageId']);
    const statusAtPhone = (wanted: string) =>
      until(
        wanted,
        async () => (await whatsApp.messages(CUSTOMER)).find(({ id }) => id === written)?.status,
        (status) => status === wanted,
      );

    const read = await ask(`messages/${messageId}/read`);
    await statusAtPhone('read');
    const played = await ask(`messages/${messageId}/played`);
    await statusAtPhone('played');
    const shown = await ask('presence', { state: 'available', seconds: 600 });
    const call = await whatsApp.call(CUSTOMER, SHOP, true);
    await until(
      'the call',
      () => receiver.events.some(({ type, data }) => type === 'call.received' && data['callId'] === call),
      (isTold) => isTold,
    );
    const refused = await ask(`calls/${call}/reject`);
    const status = await until(
      'its end',
      () => receiver.events.find(({ type, data }) => type === 'call.status' && data['callId'] === call),
      (event) => event !== undefined,
    );

    expect([read, played, shown, refused].map(({ state }) => state)).toEqual(Array(4).fill('succeeded'));
    expect((await whatsApp.stats()).presence[SHOP]).toBe('available');
    expect(status?.data).toMatchObject({
      status: 'rejected',
      video: true,
      caller: { phoneNumber: `+${CUSTOMER}`, lid: expect.stringContaining('@lid') as string },
    });
    const view = await api.must('GET', `/v1/connections/${shop}/messages/${messageId}`);
    expect(view['readAt']).toBeDefined();
    expect((await whatsApp.calls(CUSTOMER)).find(({ id }) => id === call)?.state).toBe('rejected');
  });

  it('deletes a connection: its device is unlinked and nothing of it is found', async () => {
    const deleted = await api.call('DELETE', `/v1/connections/${shop}`);
    const [phone] = await until(
      'the device being unlinked',
      () => whatsApp.phones(),
      (phones) => phones.find(({ number }) => number === SHOP)?.devices.length === 0,
    );

    expect(deleted.status).toBe(202);
    expect(phone?.devices).toEqual([]);
    expect((await api.call('GET', `/v1/connections/${shop}`)).status).toBe(404);
  });

  it('has no message text, no full number and no key in any log', () => {
    // The simulator is not the product: it prints the public key that clients pin.
    const files = readdirSync(join(dataDir, 'logs')).filter((file) => file !== 'whatsapp.log');
    const logs = files.map((file) => readFileSync(join(dataDir, 'logs', file), 'utf8'));
    const everything = logs.join('\n');

    expect(everything.length).toBeGreaterThan(1_000);
    expect(findSecrets(everything, [SECRET_TEXT, SHOP, CUSTOMER, 'whsec_', stack.operatorKey])).toEqual([]);
  });
});
