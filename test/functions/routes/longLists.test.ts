import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeId, makeStanzaId, type ConnectionId, type MessageId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { versionItem } from '../../../shared/message/messageVersions.ts';
import { receivedMessageItem } from '../../../shared/message/messageWrites.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';

/** What a page has at most (`docs/api.md`), and one entry more: an answer of Lambda has 6 MB at most. */
const PAGE_BYTES = 1_200_000;
const ANN = '4915123456789@s.whatsapp.net';
/** A text as long as a stranger may write it, in letters of three bytes. */
const LONG = '字'.repeat(56_000);

type Json = Record<string, unknown>;

describe('lists that a stranger makes as long as he likes', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: ConnectionId;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
  });
  afterAll(() => stack.stop());

  const put = async (item: object): Promise<void> => {
    const { table, stage } = stack.dependencies;
    await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item: { ...item } }));
  };
  const aMessage = (more: Partial<ReceivedMessage>): ReceivedMessage => ({
    tenantId: tenant.tenantId,
    connectionId,
    messageId: makeId('msg', Date.now(), systemRandom),
    stanzaId: makeStanzaId(systemRandom),
    chat: ANN,
    chatAlias: undefined,
    sender: ANN,
    senderAlias: undefined,
    senderName: undefined,
    flags: undefined,
    context: undefined,
    secret: undefined,
    original: undefined,
    direction: 'in',
    createdAtMs: Date.now(),
    content: { type: 'image', image: { caption: LONG } },
    ...more,
  });
  const readAll = async (path: string): Promise<{ readonly all: readonly Json[]; readonly longest: number }> => {
    const all: Json[] = [];
    let longest = 0;
    for (let after = ''; ;) {
      const { status, body } = await stack.call('GET', `${path}?limit=100${after}`, { key: tenant.key });
      expect(status).toBe(200);
      longest = Math.max(longest, Buffer.byteLength(JSON.stringify(body)));
      all.push(...(body['data'] as readonly Json[]));
      if (body['hasMore'] !== true) return { all, longest };
      after = `&after=${String(body['next'])}`;
    }
  };
  const pathOf = (messageId: MessageId): string => `/v1/connections/${connectionId}/messages/${messageId}`;

  it('have pages: an album of thirty pictures with a long caption each', async () => {
    const parts = Array.from({ length: 30 }, () => aMessage({}));
    await Promise.all(parts.map((part) => put(receivedMessageItem(part, Date.now()))));
    const names = parts.map(
      ({ messageId, stanzaId }) => ({ messageId, stanzaId, kind: 'album', type: 'image' }) as const,
    );
    // One that is not kept any more is left out.
    const gone = {
      messageId: makeId('msg', Date.now(), systemRandom),
      stanzaId: 'GONE',
      kind: 'album',
      type: 'image',
    } as const;
    const album = aMessage({ content: { type: 'album', album: { images: 100, videos: 0 } }, parts: [gone, ...names] });
    await put(receivedMessageItem(album, Date.now()));

    const { all, longest } = await readAll(`${pathOf(album.messageId)}/parts`);

    expect(all.map(({ id }) => id)).toEqual(parts.map(({ messageId }) => messageId));
    expect(longest).toBeLessThan(PAGE_BYTES);
    const wrong = await stack.call('GET', `${pathOf(album.messageId)}/parts?after=msg_x`, { key: tenant.key });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it('have pages: a message that was edited a hundred and thirty times', async () => {
    const message = aMessage({ content: { type: 'text', text: { body: 'now' } } });
    await put(receivedMessageItem(message, Date.now()));
    const of = { connectionId, messageId: message.messageId, nowMs: Date.now() };
    const bodies = Array.from({ length: 130 }, (_, index) => `${index} ${index % 10 === 0 ? LONG : ''}`);
    const versions = bodies.map((body, index) => {
      const content = { type: 'text', text: { body } } as const;
      return versionItem(of, { atMs: message.createdAtMs + index, stanzaId: `EDIT${index}`, content });
    });
    await Promise.all(versions.map(put));

    const { all, longest } = await readAll(`${pathOf(message.messageId)}/versions`);

    const numbers = all.map(({ content }) => Number((content as { text: { body: string } }).text.body.split(' ')[0]));
    expect(numbers).toEqual(bodies.map((_, index) => index));
    expect(longest).toBeLessThan(PAGE_BYTES);
    const wrong = await stack.call('GET', `${pathOf(message.messageId)}/versions?after=x`, { key: tenant.key });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });
});
