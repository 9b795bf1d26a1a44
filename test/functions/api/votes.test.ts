import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAccount, ApiStack } from './apiStack.ts';

const TO = '+49 151 00000002';
const ELSEWHERE = '+49 151 00000009';

describe('a vote, asked for without care', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connection = '';
  let poll: unknown;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connection = await stack.connection(tenant, anAccount);
    const asked = { name: 'Lunch?', options: ['Noodles', 'Rice'] };
    poll = (await send({ to: TO, type: 'poll', poll: asked })).body['id'];
  });
  afterAll(() => stack.stop());
  const send = (body: object, key?: string, on = connection, by = tenant.key) =>
    stack.call('POST', `/v1/connections/${on}/messages`, {
      key: by,
      body,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    });
  const vote = (message: unknown, ...options: readonly string[]) => ({
    type: 'poll_vote',
    poll_vote: { message_id: message, options },
  });

  it('goes to the chat of its poll, and shows nothing of the secret that it is sealed with', async () => {
    const { status, body } = await send(vote(poll, 'Rice'));
    const read = await stack.call('GET', `/v1/connections/${connection}/messages/${String(body['id'])}`, {
      key: tenant.key,
    });

    expect({ status, body }).toMatchObject({ status: 202, body: { content: vote(poll, 'Rice') } });
    expect(read.body).toMatchObject({ original: { messageId: poll }, chat: { phoneNumber: '+4915100000002' } });
    expect(JSON.stringify([body, read.body])).not.toMatch(/secret|seal|known/);
  });

  it('means the option that looks the same, in whichever way Unicode spells it, and takes one for two spellings', async () => {
    const [composed, split] = ['Café ☕'.normalize('NFC'), 'Café ☕'.normalize('NFD')];
    const asked = { name: 'Which?', options: [composed, 'Thé', 'Thé'.normalize('NFD')] };
    const id = (await send({ to: TO, type: 'poll', poll: asked })).body['id'];

    const [other, both, own] = [
      await send(vote(id, split)),
      await send(vote(id, split, composed)),
      await send(vote(id, 'Thé'.normalize('NFD'))),
    ];

    expect([other, both].map(({ status, body }) => [status, body['content']])).toEqual([
      [202, vote(id, composed)],
      [202, vote(id, composed)],
    ]);
    expect(own.body['content']).toEqual(vote(id, 'Thé'.normalize('NFD')));
  });

  it('is one under one key, and refused under it with other options, also at once', async () => {
    const answers = await Promise.all([
      send(vote(poll, 'Rice'), 'once'),
      send(vote(poll, 'Rice'), 'once'),
      send(vote(poll, 'Noodles'), 'once'),
      send(vote(poll), 'once'),
    ]);

    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ body }) => body['id'])).size).toBe(1);
    for (const { body } of accepted) expect(body['content']).toEqual(accepted[0]?.body['content']);
    for (const { status, body } of answers.filter((answer) => answer.status !== 202)) {
      expect({ status, code: body['code'] }).toEqual({ status: 409, code: 'idempotency_conflict' });
    }
    expect(accepted.length).toBeLessThan(answers.length);
  });

  it('reaches no poll of another connection, of another tenant, or of another chat', async () => {
    const [other, stranger] = [await stack.connection(tenant, anAccount), await stack.tenant()];
    const foreign = await stack.connection(stranger, anAccount);
    const codeOf = ({ status, body }: Awaited<ReturnType<typeof send>>) => [status, body['code']];

    expect(codeOf(await send(vote(poll, 'Rice'), undefined, other))).toEqual([404, 'message_not_found']);
    expect(codeOf(await send(vote(poll, 'Rice'), undefined, foreign, stranger.key))).toEqual([
      404,
      'message_not_found',
    ]);
    expect(codeOf(await send(vote(poll, 'Rice'), undefined, connection, stranger.key))).toEqual([
      404,
      'connection_not_found',
    ]);
    const elsewhere = await send({ to: ELSEWHERE, ...vote(poll, 'Rice') });
    expect(elsewhere).toMatchObject({ status: 400, body: { fields: [{ field: 'to' }] } });
  });

  it('is refused in a poll that was never sent, and in a vote', async () => {
    const asked = { to: TO, type: 'poll', poll: { name: 'When?', options: ['Mo', 'Tu'] } };
    const cancelled = String((await send(asked)).body['id']);
    await stack.call('DELETE', `/v1/connections/${connection}/messages/${cancelled}`, { key: tenant.key });
    const first = (await send(vote(poll, 'Rice'))).body['id'];

    for (const id of [cancelled, first]) {
      expect(await send(vote(id, 'Mo'))).toMatchObject({ status: 409, body: { code: 'act_not_possible' } });
    }
  });

  it.each([
    ['65 of them', Array.from({ length: 65 }, (_, index) => `option ${index}`)],
    ['an empty one', ['']],
    ['a number', [1]],
    ['no list', 'Rice'],
    ['an enormous one', ['x'.repeat(5_000)]],
  ])('says which options cannot be: %s', async (_what, options) => {
    const { status, body } = await send({ type: 'poll_vote', poll_vote: { message_id: poll, options } });

    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body['fields'])).toContain('poll_vote.options');
  });
});
