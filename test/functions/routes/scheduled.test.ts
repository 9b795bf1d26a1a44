import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAccount, ApiStack } from '../api/apiStack.ts';

const HOUR_MS = 3_600_000;
const inHours = (hours: number): string =>
  new Date(Math.ceil(Date.now() / 1_000) * 1_000 + hours * HOUR_MS).toISOString();

describe('scheduled messages over the API', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  const aTenant = async () => {
    const tenant = await stack.tenant();
    const id = await stack.connection(tenant, anAccount);
    const { key } = tenant;
    const call = (method: string, path: string, body?: unknown) =>
      stack.call(method, `/v1/connections/${id}/${path}`, { key, ...(body === undefined ? {} : { body }) });
    const send = (times: Record<string, unknown>, text = 'later') =>
      call('POST', 'messages', { to: '+49 151 00000002', type: 'text', text: { body: text }, ...times });
    return { call, send };
  };

  it('are accepted without a command, and read with their times', async () => {
    const { call, send } = await aTenant();
    const [notBefore, expiresAt] = [inHours(1), inHours(2)];

    const sent = await send({ not_before: notBefore, expires_at: Date.parse(expiresAt) / 1_000 });
    const read = await call('GET', `messages/${String(sent.body['id'])}`);

    expect(sent).toMatchObject({ status: 202, body: { status: 'scheduled', notBefore, expiresAt } });
    expect(read.body).toEqual(sent.body);
    expect(await stack.takeCommands()).toEqual([]);
  });

  it('are listed by their time, in pages, without those that are moved away or cancelled', async () => {
    const { call, send } = await aTenant();
    const ids: string[] = [];
    for (const hours of [3, 1, 4, 2, 5]) {
      ids.push(String((await send({ not_before: inHours(hours) }, `in ${hours}`)).body['id']));
    }
    await call('DELETE', `messages/${ids[2]}`);
    const notBefore = inHours(6);
    const moved = await call('PATCH', `messages/${ids[1]}`, { not_before: notBefore });

    const found: unknown[] = [];
    for (let after = ''; ;) {
      const { body } = await call('GET', `scheduled-messages?limit=2${after}`);
      found.push(...(body['data'] as { readonly id: unknown }[]).map(({ id }) => id));
      if (body['next'] === undefined) break;
      after = `&after=${encodeURIComponent(body['next'] as string)}`;
    }

    expect(moved).toMatchObject({ status: 200, body: { status: 'scheduled', notBefore } });
    expect(found).toEqual([ids[3], ids[0], ids[4], ids[1]]);
  });

  it.each([
    ['a time in the past', { not_before: inHours(-1) }, 'not_before'],
    ['a time that is too far', { not_before: inHours(24 * 366) }, 'not_before'],
    ['an end before the beginning', { not_before: inHours(2), expires_at: inHours(1) }, 'expires_at'],
    ['no time', { not_before: 'tomorrow' }, 'not_before'],
    ['milliseconds', { expires_at: Date.now() + HOUR_MS }, 'expires_at'],
  ])('are refused for %s', async (_, times, field) => {
    const { send } = await aTenant();

    const { status, body } = await send(times);

    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(field);
    // The words say how a time is written, or what is wrong with this one.
    expect(JSON.stringify(body)).not.toContain('kinds that are described');
  });

  it('that are polls leave before their end or never, wherever they are moved, and events before they are over', async () => {
    const { call } = await aTenant();
    const send = (endsAt: string, times: object = {}) => {
      const poll = { name: 'Lunch?', options: ['Noodles', 'Rice'], ends_at: endsAt };
      return call('POST', 'messages', { to: '+49 151 00000002', type: 'poll', poll, ...times });
    };
    const problemOf = ({ status, body }: Awaited<ReturnType<typeof send>>) => ({ status, fields: body['fields'] });
    const refused = (problem: string) => ({ status: 400, fields: [{ field: 'poll.ends_at', problem }] });
    const [end, soon, late] = [inHours(2), inHours(1), inHours(3)];

    expect(problemOf(await send(inHours(-1)))).toEqual(refused('must be in the future'));
    expect(problemOf(await send(end, { not_before: late }))).toEqual(refused('must be after not_before'));
    expect((await send(end)).body).toMatchObject({ status: 'queued', expiresAt: end });
    expect((await send(end, { expires_at: late })).body).toMatchObject({ expiresAt: end });
    expect((await send(end, { expires_at: soon })).body).toMatchObject({ expiresAt: soon });
    expect((await send(inHours(24 * 500))).status).toBe(202);
    const party = (startsAt: string, more: object = {}) => {
      const event = { name: 'Party', starts_at: startsAt, ...more };
      return call('POST', 'messages', { to: '+49 151 00000002', type: 'event', event });
    };
    expect(problemOf(await party(inHours(-1), { ends_at: end }))).toEqual({
      status: 400,
      fields: [{ field: 'event.starts_at', problem: 'must be in the future' }],
    });
    expect((await party(soon)).body).toMatchObject({ status: 'queued', expiresAt: soon });
    expect((await party(soon, { ends_at: end })).body).toMatchObject({ expiresAt: end });
    const scheduled = await send(end, { not_before: soon });
    const path = `messages/${String(scheduled.body['id'])}`;
    expect(problemOf(await call('PATCH', path, { not_before: late }))).toEqual(refused('must be after not_before'));
    expect((await call('PATCH', path, { expires_at: null })).body).toMatchObject({ notBefore: soon, expiresAt: end });
    const far = await send(inHours(24 * 500), { not_before: soon });
    const moved = await call('PATCH', `messages/${String(far.body['id'])}`, { not_before: late });
    expect(moved).toMatchObject({ status: 200, body: { notBefore: late } });
  });

  it('are moved and cancelled by their tenant alone, and only while they are scheduled', async () => {
    const [owner, stranger] = [await aTenant(), await aTenant()];
    const sent = await owner.send({ not_before: inHours(1), expires_at: inHours(2) });
    const path = `messages/${String(sent.body['id'])}`;
    const now = await owner.send({});

    const foreign = await stranger.call('PATCH', path, { not_before: inHours(3) });
    const past = await owner.call('PATCH', path, { not_before: inHours(-1) });
    const beyond = await owner.call('PATCH', path, { not_before: inHours(3) });
    const later = { not_before: inHours(3), expires_at: null };
    const both = await owner.call('PATCH', path, later);
    const again = await owner.call('PATCH', path, later);
    const cancelled = await owner.call('DELETE', path);
    const late = await owner.call('PATCH', path, { not_before: inHours(4) });
    const queued = await owner.call('PATCH', `messages/${String(now.body['id'])}`, { not_before: inHours(4) });
    const empty = await owner.call('GET', 'scheduled-messages');
    const nonsense = await owner.call('GET', 'scheduled-messages?after=evt_1');

    expect([foreign, past, beyond, both, again].map(({ status }) => status)).toEqual([404, 400, 400, 200, 200]);
    expect(again.body).toEqual(both.body);
    expect(both.body).not.toHaveProperty('expiresAt');
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect([late, queued]).toMatchObject([
      { status: 409, body: { code: 'message_not_movable' } },
      { status: 409, body: { code: 'message_not_movable' } },
    ]);
    expect(empty.body).toMatchObject({ data: [], hasMore: false });
    expect(nonsense).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });
});
