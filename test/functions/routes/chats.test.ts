import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatRow } from '../../../shared/chat/chat.ts';
import { makeId, makeStanzaId, type ConnectionId, type MessageId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { receivedMessageItem } from '../../../shared/message/messageWrites.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';

const ADA = '222@lid';
const ADA_PN = '4915100000002@s.whatsapp.net';
const BOB = '4915100000004@s.whatsapp.net';
const STAFF = '120363000000000001@g.us';
const NEWS = '120363000000000002@newsletter';

describe('chats, over the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: ConnectionId;
  const nowMs = Date.now();
  const messageIds = new Map<string, MessageId>();
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
    await chat({ id: ADA, number: '4915100000002', unread: 2, archived: true }, await message(ADA, nowMs - 1_000));
    await chat({ id: BOB, markedUnread: true, mutedUntilMs: -1 }, await message(BOB, nowMs - 3_000));
    await chat(
      { id: STAFF, subject: 'Staff 🥐', pinned: true, mutedUntilMs: nowMs - 1 },
      await message(STAFF, nowMs - 2_000),
    );
    await chat({ id: NEWS, lastAtMs: 0 });
    await message(ADA_PN, nowMs - 4_000, { chatAlias: ADA });
    const { contacts } = stack.dependencies;
    const ada = {
      id: ADA,
      number: '4915100000002',
      push: 'Ada',
      saved: 'Ada Lovelace',
      firstSeenAtMs: nowMs,
      seenAtMs: nowMs,
      version: 1,
    };
    await contacts.write(connectionId, { write: 'make', contact: ada }, nowMs);
    await contacts.write(connectionId, { write: 'lead', number: '4915100000002', id: ADA }, nowMs);
  });
  afterAll(() => stack.stop());

  const chat = async (
    row: Partial<ChatRow> & Pick<ChatRow, 'id'>,
    lastMessageId?: MessageId,
    within = connectionId,
  ): Promise<void> => {
    const place = lastMessageId === undefined ? {} : { lastMessageId, lastAtMs: timeOf.get(lastMessageId) ?? 0 };
    const is = { unread: 0, version: 1, lastAtMs: 0, ...place, ...row };
    expect(await stack.dependencies.chats.write([{ connectionId: within, was: undefined, is }], nowMs)).toEqual([
      'written',
    ]);
  };
  const timeOf = new Map<MessageId, number>();
  const message = async (address: string, atMs: number, more: Partial<ReceivedMessage> = {}): Promise<MessageId> => {
    const messageId = makeId('msg', atMs, systemRandom);
    timeOf.set(messageId, atMs);
    messageIds.set(`${address} ${atMs}`, messageId);
    const { table, stage } = stack.dependencies;
    const row: ReceivedMessage = {
      tenantId: tenant.tenantId,
      connectionId,
      messageId,
      stanzaId: makeStanzaId(systemRandom),
      chat: address,
      chatAlias: undefined,
      sender: address,
      senderAlias: undefined,
      senderName: undefined,
      flags: undefined,
      context: undefined,
      secret: undefined,
      original: undefined,
      direction: 'in',
      createdAtMs: atMs,
      content: { type: 'text', text: { body: `to ${address} 😀` } },
      ...more,
    };
    await table.send(
      new PutCommand({ TableName: tableName(stage, 'core'), Item: { ...receivedMessageItem(row, nowMs) } }),
    );
    return messageId;
  };
  const get = (rest = '', key = tenant.key) => stack.call('GET', `/v1/connections/${connectionId}/${rest}`, { key });
  const idsOf = async (rest: string): Promise<readonly unknown[]> => {
    const { status, body } = await get(rest);
    expect({ status, body }).toMatchObject({ status: 200 });
    return (body['data'] as readonly { readonly id: string }[]).map(({ id }) => id);
  };

  it('are listed by their newest message, with what the list of a phone shows', async () => {
    const { body } = await get('chats');

    expect(body['data']).toMatchObject([
      {
        id: ADA,
        phoneNumber: '+4915100000002',
        kind: 'person',
        name: 'Ada Lovelace',
        lastActivityAt: new Date(nowMs - 1_000).toISOString(),
        unreadMessages: 2,
        unread: false,
        archived: true,
        lastMessage: { id: messageIds.get(`${ADA} ${nowMs - 1_000}`), content: { text: { body: `to ${ADA} 😀` } } },
      },
      { id: STAFF, kind: 'group', name: 'Staff 🥐', pinned: true, muted: false },
      { id: BOB, kind: 'person', unreadMessages: 0, unread: true, muted: true },
      { id: NEWS, kind: 'channel', unreadMessages: 0 },
    ]);
    expect(body).toMatchObject({ hasMore: false });
  });

  it('come page by page, each once, also those of one moment', async () => {
    const found: unknown[] = [];
    let after = '';
    for (let pages = 0; pages < 9; pages += 1) {
      const { body } = await get(`chats?limit=1${after}`);
      found.push(...(body['data'] as readonly { readonly id: string }[]).map(({ id }) => id));
      if (body['hasMore'] !== true) break;
      after = `&after=${encodeURIComponent(String(body['next']))}`;
    }

    expect(found).toEqual([ADA, STAFF, BOB, NEWS]);
  });

  it.each([
    ['archived=true', [ADA]],
    ['archived=false', [STAFF, BOB, NEWS]],
    ['unread=true', [ADA, BOB]],
    ['unread=false', [STAFF, NEWS]],
    ['unread=true&archived=false', [BOB]],
  ])('are chosen by %s', async (query, expected) => {
    expect(await idsOf(`chats?${query}`)).toEqual(expected);
  });

  it.each(['+49 151 00000002', ADA_PN, ADA])('are read by any name of theirs: %s', async (written) => {
    expect((await get(`chats/${encodeURIComponent(written)}`)).body).toMatchObject({ id: ADA, unreadMessages: 2 });
  });

  it.each(['+4915199999999', 'nobody', '999@lid', 'status@broadcast'])(
    'are not found where there is none: %s',
    async (written) => {
      expect(await get(`chats/${encodeURIComponent(written)}`)).toMatchObject({
        status: 404,
        body: { code: 'chat_not_found' },
      });
    },
  );

  it.each(['x', '1', '.a', '99999999999999999.a'])('begin at no place that is none: %s', async (after) => {
    expect(await get(`chats?after=${after}`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it('come in order from any place, however many of them were written in on one day', async () => {
    const other = await stack.connection(tenant, anAccount);
    const hours = [0, 1, 2, 3, 20, 22, 23.9, 24, 24.1, 30, 47, 48, 49, 200, 201, 700];
    const people = hours.map((_, place) => `${500 + place}@lid`);
    for (const [place, id] of people.entries()) {
      const isOdd = place % 2 === 1;
      const lastAtMs = nowMs - (hours[place] ?? 0) * 3_600_000;
      await chat({ id, lastAtMs, unread: isOdd ? 1 : 0, archived: place % 3 === 0 }, undefined, other);
    }
    const walk = async (filter: string, limit: number): Promise<readonly string[]> => {
      const found: string[] = [];
      for (let after = ''; ;) {
        const { body } = await stack.call(
          'GET',
          `/v1/connections/${other}/chats?limit=${limit}${filter}${after}`,
          tenant,
        );
        found.push(...(body['data'] as readonly { readonly id: string }[]).map(({ id }) => id));
        if (body['hasMore'] !== true) return found;
        after = `&after=${encodeURIComponent(String(body['next']))}`;
      }
    };
    const places = (isIn: (place: number) => boolean): readonly string[] => people.filter((_, place) => isIn(place));

    for (const limit of [1, 3, 5, 7, 16]) {
      expect(await walk('', limit)).toEqual(people);
      expect(await walk('&unread=true', limit)).toEqual(places((place) => place % 2 === 1));
      expect(await walk('&unread=false', limit)).toEqual(places((place) => place % 2 === 0));
      expect(await walk('&archived=true', limit)).toEqual(places((place) => place % 3 === 0));
      expect(await walk('&archived=false&unread=true', limit)).toEqual(
        places((place) => place % 3 !== 0 && place % 2 === 1),
      );
    }
  });

  it('that the account has cleared show no message, and those that it has deleted are there no more', async () => {
    const other = await stack.connection(tenant, anAccount);
    const at = (id: string): Partial<ChatRow> & Pick<ChatRow, 'id'> => ({
      id,
      lastAtMs: 5,
      lastMessageId: 'msg_1' as MessageId,
    });
    await chat({ ...at('501@lid'), clearedAtMs: 5 }, undefined, other);
    await chat({ ...at('502@lid'), deletedAtMs: 5 }, undefined, other);
    await chat({ ...at('503@lid'), deletedAtMs: 4 }, undefined, other);
    const call = (rest: string) => stack.call('GET', `/v1/connections/${other}/chats${rest}`, { key: tenant.key });

    expect((await call('')).body['data']).toMatchObject([{ id: '501@lid' }, { id: '503@lid' }]);
    expect(await call('/502@lid')).toMatchObject({ status: 404, body: { code: 'chat_not_found' } });
    expect((await call('/501@lid')).body).not.toHaveProperty('lastMessage');
  });

  it('have nothing unread where the connection marks as read what comes', async () => {
    const path = `/v1/connections/${connectionId}`;
    await stack.call('PATCH', path, { key: tenant.key, body: { settings: { readReceipts: 'automatic' } } });

    const { body } = await get(`chats/${ADA}`);
    const chosen = { unread: await idsOf('chats?unread=true'), others: await idsOf('chats?unread=false') };
    await stack.call('PATCH', path, { key: tenant.key, body: { settings: { readReceipts: 'manual' } } });

    expect(body).toMatchObject({ unreadMessages: 0 });
    // One that is marked as unread stays so.
    expect(chosen).toEqual({ unread: [BOB], others: [ADA, STAFF, NEWS] });
  });

  it.each([
    [['chats:read'], false],
    [['chats:read', 'messages:read'], true],
  ])('show what was written to a key that reads messages alone: %j', async (scopes, isShown) => {
    const path = `/v1/admin/tenants/${tenant.tenantId}/api-keys`;
    const made = await stack.call('POST', path, { key: stack.operatorKey, body: { scopes } });
    const key = String(made.body['secret']);

    const { body: one } = await get(`chats/${ADA}`, key);
    const { body: all } = await get('chats', key);

    expect(one).toMatchObject({ id: ADA, name: 'Ada Lovelace', unreadMessages: 2 });
    expect('lastMessage' in one).toBe(isShown);
    expect(JSON.stringify(all).includes(`to ${ADA} 😀`)).toBe(isShown);
  });

  it('fill no more than a page, however long their newest messages are', async () => {
    const content = { type: 'text', text: { body: '字'.repeat(56_000) } } as const;
    const people = Array.from({ length: 12 }, (_, place) => `${5_000 + place}@lid`);
    for (const id of people) await chat({ id }, await message(id, nowMs, { content }));
    const found: unknown[] = [];
    let longest = 0;
    let after = '';
    for (;;) {
      const { status, body } = await get(`chats?limit=100${after}`);
      expect(status).toBe(200);
      longest = Math.max(longest, Buffer.byteLength(JSON.stringify(body)));
      found.push(...(body['data'] as readonly { readonly id: string }[]).map(({ id }) => id));
      if (body['hasMore'] !== true) break;
      after = `&after=${encodeURIComponent(String(body['next']))}`;
    }

    expect(longest).toBeLessThan(1_200_000);
    expect(found).toEqual([...people, ADA, STAFF, BOB, NEWS]);
  });

  it.each([
    [ADA, [nowMs - 1_000, nowMs - 4_000]],
    ['+4915100000002', [nowMs - 1_000, nowMs - 4_000]],
    [STAFF, [nowMs - 2_000]],
    ['+4915199999999', []],
  ])('have their own messages, under whichever address they came: %s', async (written, times) => {
    const expected = times.map((atMs) => [...timeOf].find(([, at]) => at === atMs)?.[0]);

    expect(await idsOf(`messages?chat=${encodeURIComponent(written)}`)).toEqual(expected);
  });

  it('have their messages page by page', async () => {
    const { body } = await get(`messages?chat=${ADA}&limit=1`);
    const rest = await idsOf(`messages?chat=${ADA}&before=${String(body['next'])}`);

    expect(body).toMatchObject({ hasMore: true });
    expect(rest).toHaveLength(1);
  });

  it('of no address are refused, and nobody else has them', async () => {
    expect(await get('messages?chat=nobody')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    const other = await stack.tenant();
    expect(await get('chats', other.key)).toMatchObject({ status: 404 });
  });
});
