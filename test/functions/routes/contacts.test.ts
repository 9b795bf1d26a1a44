import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contact } from '../../../shared/contact/contact.ts';
import { ContactStore } from '../../../shared/contact/contactStore.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { isLid } from '../../../shared/kernel/jid.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';

type Given = Pick<Contact, 'id'> & Partial<Contact>;

describe('contacts, over the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: ConnectionId;
  const nowMs = Date.now();
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
    await know({ id: '222@lid', number: '4915100000002', push: 'Ada', saved: 'Ada Lovelace', blocked: false });
    await know({ id: '333@lid', push: 'Zoë Ångström', username: 'zoe.a' });
    await know({ id: '4915100000004@s.whatsapp.net', number: '4915100000004', push: 'Bob' });
    await know({ id: '444@lid', number: '5511987654321', push: 'Bäckerei 🥐👋🏽' });
  });
  afterAll(() => stack.stop());

  const store = (): ContactStore => stack.dependencies.contacts;
  const know = async (contact: Given): Promise<void> => {
    const made = { firstSeenAtMs: nowMs, seenAtMs: nowMs, version: 1, ...contact };
    await store().write(connectionId, { write: 'make', contact: made }, nowMs);
    if (contact.number !== undefined) {
      await store().write(connectionId, { write: 'lead', number: contact.number, id: contact.id }, nowMs);
    }
  };
  const get = (rest = '', key = tenant.key) =>
    stack.call('GET', `/v1/connections/${connectionId}/contacts${rest}`, { key });
  const idsOf = async (rest: string): Promise<readonly unknown[]> => {
    const { status, body } = await get(rest);
    expect({ status, body }).toMatchObject({ status: 200 });
    return (body['data'] as readonly { readonly id: string }[]).map(({ id }) => id);
  };

  it('are read by number, written in any way, by address and by LID', async () => {
    const ada = {
      id: '222@lid',
      phoneNumber: '+4915100000002',
      lid: '222@lid',
      names: { push: 'Ada', saved: 'Ada Lovelace' },
      country: 'DE',
      blocked: false,
      firstSeenAt: new Date(nowMs).toISOString(),
    };
    const ways = ['+49 151 00000002', '4915100000002', '4915100000002@s.whatsapp.net', '222@lid'];

    for (const written of ways) expect((await get(`/${encodeURIComponent(written)}`)).body).toEqual(ada);
  });

  it.each(['+4915199999999', '999@lid', 'nobody', '120363000000000001@g.us'])(
    'are not found where there is none: %s',
    async (written) => {
      expect(await get(`/${encodeURIComponent(written)}`)).toMatchObject({
        status: 404,
        body: { code: 'contact_not_found' },
      });
    },
  );

  it.each(['0@s.whatsapp.net', '16505361212000000@s.whatsapp.net', '00@lid'])(
    'are read by the id with which they are listed, also where nobody can write to it: %s',
    async (id) => {
      const another = await stack.connection(tenant, anAccount);
      const contact = { id, firstSeenAtMs: nowMs, seenAtMs: nowMs, version: 1 };
      await store().write(another, { write: 'make', contact }, nowMs);
      const path = `/v1/connections/${another}/contacts`;

      const { body } = await stack.call('GET', path, { key: tenant.key });

      expect(body['data']).toMatchObject([{ id }]);
      const read = await stack.call('GET', `${path}/${encodeURIComponent(id)}`, { key: tenant.key });
      expect(read).toMatchObject({ status: 200, body: { id } });
    },
  );

  it('are listed once each, in pages', async () => {
    const first = await get('?limit=3');
    const rest = await idsOf(`?limit=3&after=${encodeURIComponent(String(first.body['next']))}`);

    const ids = (first.body['data'] as readonly { readonly id: string }[]).map(({ id }) => id);
    expect([...ids, ...rest]).toEqual(['222@lid', '333@lid', '444@lid', '4915100000004@s.whatsapp.net']);
    expect(first.body['hasMore']).toBe(true);
  });

  it.each([
    ['ada', ['222@lid']],
    ['love', ['222@lid']],
    ['ZOE', ['333@lid']],
    ['angstrom zoë', ['333@lid']],
    ['zoe.a', ['333@lid']],
    ['+49 151', ['222@lid', '4915100000004@s.whatsapp.net']],
    ['5511', ['444@lid']],
    ['🥐', ['444@lid']],
    ['bäck 👋', ['444@lid']],
    ['nobody', []],
    ['%', []],
  ])('are found by the beginning of a number or a name: %s', async (search, ids) => {
    expect(await idsOf(`?search=${encodeURIComponent(search)}`)).toEqual(ids);
  });

  it('stand once in a search that fits an earlier number of theirs, too, and are found by that alone', async () => {
    await know({ id: '555@lid', number: '525512345678' });
    await store().write(connectionId, { write: 'lead', number: '5215512345678', id: '555@lid' }, nowMs);

    expect(await idsOf('?search=52')).toEqual(['555@lid']);
    expect(await idsOf('?search=52155')).toEqual(['555@lid']);
    expect((await get('/%2B5215512345678')).body).toMatchObject({ id: '555@lid', phoneNumber: '+525512345678' });
  });

  it('are read no further than a page needs', async () => {
    const asked: (number | undefined)[] = [];
    const { table, stage } = stack.dependencies;
    const counting = {
      send: (command: { readonly input: { readonly Limit?: number } }) => {
        if (command instanceof QueryCommand) asked.push(command.input.Limit);
        return table.send(command as never);
      },
    } as unknown as typeof table;
    const page = { after: undefined, limit: 2, nowMs };

    await new ContactStore({ table: counting, stage }).list(connectionId, page);
    await new ContactStore({ table: counting, stage }).listByNumber(connectionId, '49', page);

    expect(asked).toEqual([3, 3]);
  });

  it('are not read at all for a search without a letter, a digit or a sign', async () => {
    const { contacts } = stack.dependencies;
    const list = (): never => {
      throw new Error('was read');
    };
    const path = `/v1/connections/${connectionId}/contacts?search=%25%20..`;

    const answer = await stack
      .with({ contacts: Object.assign(Object.create(contacts) as ContactStore, { list }) })
      .call('GET', path, { key: tenant.key });

    expect(answer).toMatchObject({ status: 200, body: { data: [], hasMore: false } });
  });

  it('are found by number in pages, too, and a cursor of another search is refused', async () => {
    const first = await get('?search=4915&limit=1');
    const next = String(first.body['next']);

    expect(await idsOf(`?search=4915&limit=1&after=${next}`)).toEqual(['4915100000004@s.whatsapp.net']);
    expect(await get(`?search=55&after=${next}`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
    expect(await get('?after=nothing')).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it('are nobody else’s, and end with their time', async () => {
    const stranger = await stack.tenant();
    const longAgo = nowMs - 91 * 86_400_000;
    const gone = { id: '777@lid', firstSeenAtMs: longAgo, seenAtMs: longAgo, version: 1 };
    await store().write(connectionId, { write: 'make', contact: gone }, longAgo);

    expect(await get('/222%40lid', stranger.key)).toMatchObject({
      status: 404,
      body: { code: 'connection_not_found' },
    });
    expect(await get('/777%40lid')).toMatchObject({ status: 404, body: { code: 'contact_not_found' } });
    expect((await idsOf('')).some((id) => typeof id === 'string' && isLid(id) && id.startsWith('777'))).toBe(false);
  });
});
