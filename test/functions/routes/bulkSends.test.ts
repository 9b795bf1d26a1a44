import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../shared/content/content.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { aSentMessage } from '../../shared/event/eventStores.ts';
import { ApiStack, anAccount, type Answered } from '../api/apiStack.ts';

const TYPE = 'application/x-ndjson';
const aLine = (text: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ to: '+4915100000002', type: 'text', text: { body: text }, ...more });
const linesOf = (count: number): string => Array.from({ length: count }, (_, line) => aLine(`line ${line}`)).join('\n');

describe('bulk sends over the API', () => {
  let stack: ApiStack;
  let owner: { readonly tenantId: never; readonly key: string };
  let connection = '';
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    owner = (await stack.tenant()) as typeof owner;
    connection = await stack.connection(owner, anAccount);
  });

  const path = (ending = ''): string => `/v1/connections/${connection}/bulk-sends${ending}`;
  const post = (
    body: string | Buffer,
    {
      query = '',
      headers = {},
      key = owner.key,
    }: { query?: string; headers?: Record<string, string>; key?: string } = {},
  ): Promise<Answered> =>
    stack.call('POST', path(query), {
      key,
      headers: { 'content-type': TYPE, ...headers },
      ...(typeof body === 'string' ? { raw: body } : { bytes: body }),
    });
  const call = (method: string, ending: string): Promise<Answered> =>
    stack.call(method, path(ending), { key: owner.key });
  const problemsOf = ({ status, body }: Answered): readonly unknown[] => [
    status,
    ...((body['fields'] ?? []) as { field: string; problem: string }[]).map(({ field }) => field),
  ];

  it('takes 10,000 lines, shows how far they are and each of them, and lists what there is', async () => {
    // An hour from now, as a clock shows it that is an hour ahead of UTC.
    const shown = new Date(Date.now() + 2 * 3_600_000).toISOString().slice(0, 19);
    const created = await post(gzipSync(linesOf(10_000)), {
      headers: { 'content-encoding': 'gzip' },
      query: `?per_minute=60&not_before=${encodeURIComponent(`${shown}+01:00`)}`,
    });
    const id = String(created.body['id']);
    const read = await call('GET', `/${id}`);
    const list = await call('GET', '');
    const first = await call('GET', `/${id}/messages?limit=2`);
    const last = await call('GET', `/${id}/messages?limit=100&after=9999`);
    const beyond = await call('GET', `/${id}/messages?after=99999`);

    expect(created).toMatchObject({
      status: 202,
      body: { status: 'scheduled', total: 10_000, counts: { waiting: 10_000 }, done: 0, perMinute: 60 },
    });
    expect(read.body).toEqual(created.body);
    expect(list.body).toMatchObject({
      data: [{ id, status: 'scheduled', total: 10_000, released: 0 }],
      hasMore: false,
    });
    expect(first.body).toMatchObject({
      data: [
        { status: 'scheduled', content: { text: { body: 'line 0' } }, bulkSend: { id, line: 1 } },
        { status: 'scheduled', content: { text: { body: 'line 1' } }, bulkSend: { id, line: 2 } },
      ],
      hasMore: true,
      next: '2',
    });
    expect(last.body).toMatchObject({ data: [{ bulkSend: { line: 10_000 } }], hasMore: false });
    expect(beyond.body).toEqual({ data: [], hasMore: false });
    expect(await stack.takeCommands()).toEqual([]);
  });

  it('pauses, resumes and cancels, each as often as it is asked, and nothing after the cancel', async () => {
    const { body } = await post(linesOf(3));
    const id = String(body['id']);
    const states: unknown[] = [];
    for (const [method, ending] of [
      ['POST', '/pause'],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/resume'],
      ['POST', '/pause'],
      ['DELETE', ''],
      ['DELETE', ''],
      ['POST', '/resume'],
    ] as const) {
      const answer = await call(method, `/${id}${ending}`);
      states.push(answer.status === 200 ? answer.body['status'] : answer.body['code']);
    }

    expect(states).toEqual([
      'paused',
      'paused',
      'running',
      'running',
      'paused',
      'cancelled',
      'cancelled',
      'bulk_send_over',
    ]);
    expect((await call('GET', `/${id}`)).body).toMatchObject({ counts: { cancelled: 3 }, done: 3 });
    expect((await call('GET', `/${id}/messages`)).body).toMatchObject({ data: [{ status: 'cancelled' }, {}, {}] });
  });

  it('is one bulk send under one key, in another spelling too, and no other request', async () => {
    const headers = { 'idempotency-key': 'campaign-7' };
    const first = await post(`${aLine('one')}\n${aLine('two')}`, { headers });
    const spelled = `\u{FEFF}{"type":"text", "text":{"body":"one"}, "to":"4915100000002@s.whatsapp.net"}\r\n${aLine('two')}\r\n\r\n`;
    const again = await post(spelled, { headers });
    const packed = await post(gzipSync(`${aLine('one')}\n${aLine('two')}\n`), {
      headers: { ...headers, 'content-encoding': 'gzip' },
    });
    const others = [
      await post(aLine('one'), { headers }),
      await post(`${aLine('two')}\n${aLine('one')}`, { headers }),
      await post(`${aLine('one')}\n${aLine('two')}`, { headers, query: '?per_minute=5' }),
    ];
    const single = await stack.call('POST', `/v1/connections/${connection}/messages`, {
      key: owner.key,
      raw: aLine('one'),
      headers,
    });

    expect([again.body['id'], packed.body['id']]).toEqual([first.body['id'], first.body['id']]);
    expect([...others, single].map(({ status, body }) => [status, body['code']])).toEqual(
      Array.from({ length: 4 }, () => [409, 'idempotency_conflict']),
    );
  });

  it('accepts none where all that lines forward is too much together, and says from which line on', async () => {
    const connectionId = connection as ConnectionId;
    const content = {
      type: 'contacts',
      contacts: Array.from({ length: 250 }, () => ({ name: { formatted_name: 'x'.repeat(220) } })),
    };
    const message = aSentMessage(
      { tenantId: owner.tenantId, connectionId },
      { content: content as unknown as OutboundContent, state: 'sent' },
    );
    await stack.dependencies.messages.create(message, 0);
    const line = JSON.stringify({ to: '+4915100000002', type: 'forward', forward: { message_id: message.messageId } });

    const tooMany = await post(Array.from({ length: 400 }, () => line).join('\n'));
    const enough = await post(Array.from({ length: 20 }, () => line).join('\n'));

    expect(tooMany).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', fields: [{ field: expect.stringMatching(/^lines\.3\d\d$/) }] },
    });
    expect(enough).toMatchObject({ status: 202, body: { total: 20 } });
  });

  it('accepts none where a line is wrong, and says which', async () => {
    const bad = [
      aLine('fine'),
      '{"to":',
      aLine(''),
      aLine('x', { to: 'nobody' }),
      aLine('x', { colour: 'red' }),
      '',
      aLine('x', { not_before: '2026-12-24T18:00:00Z' }),
      aLine('x'.repeat(70_000)),
      JSON.stringify({ to: '+4915100000002', type: 'template', template: {} }),
      aLine('x', { context: { message_id: 'msg_01JDT7KZ3V9H2M8Q4S6T1R5N0P' } }),
      aLine('x', { expires_at: '2020-12-24T18:00:00Z' }),
    ].join('\n');
    const many = await post(
      [
        ...Array.from({ length: 30 }, () => aLine('x', { to: 'nobody' })),
        ...Array.from({ length: 30 }, () => '{'),
      ].join('\n'),
    );
    const byForm = await post(bad);
    const bySense = await post(
      [
        aLine('x', { to: 'nobody' }),
        aLine('x', { not_before: '2026-12-24T18:00:00Z' }),
        JSON.stringify({ to: '+4915100000002', type: 'template', template: {} }),
      ].join('\n'),
    );
    const byRows = await post(
      [
        aLine('fine'),
        aLine('x', { context: { message_id: 'msg_01JDT7KZ3V9H2M8Q4S6T1R5N0P' } }),
        aLine('x', { expires_at: '2020-12-24T18:00:00Z' }),
        aLine('x', { mention_all: true }),
      ].join('\n'),
    );

    // All at once: what the form says, whom it is to, what cannot be sent, and what rows say.
    expect(problemsOf(byForm)).toEqual([
      400,
      'lines.2',
      'lines.3.text.body',
      'lines.4.to',
      'lines.5.colour',
      'lines.6',
      'lines.7.not_before',
      'lines.8',
      'lines.9.type',
      'lines.10.context.message_id',
      'lines.11.expires_at',
    ]);
    expect(problemsOf(many)).toEqual([400, ...Array.from({ length: 20 }, (_, line) => `lines.${line + 1}.to`)]);
    expect(problemsOf(bySense)).toEqual([400, 'lines.1.to', 'lines.2.not_before', 'lines.3.type']);
    expect(problemsOf(byRows)).toEqual([
      400,
      'lines.2.context.message_id',
      'lines.3.expires_at',
      'lines.4.mention_all',
    ]);
    expect((await call('GET', '')).body).toEqual({ data: [], hasMore: false });
  });

  it.each([
    ['nothing', '', {}, 400],
    ['only empty lines', '\n\r\n\n', {}, 400],
    ['10,001 lines', linesOf(10_001), {}, 400],
    ['a line of 1 MB', aLine('x'.repeat(1_000_000)), {}, 400],
    ['more than 4 MB', Buffer.alloc(4 * 1_024 * 1_024 + 1, 10), {}, 413],
    [
      'what unpacks to more than 16 MB',
      gzipSync(Buffer.alloc(17 * 1_024 * 1_024, 10)),
      { 'content-encoding': 'gzip' },
      413,
    ],
    ['what is not gzip', Buffer.from('hello'), { 'content-encoding': 'gzip' }, 400],
    ['another packing', Buffer.from('hello'), { 'content-encoding': 'br' }, 415],
    ['one JSON object', aLine('x'), { 'content-type': 'application/json' }, 415],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 400],
    ['a list', `[${aLine('x')}]`, {}, 400],
    ['a name that no caller may use', '{"__proto__":{}}', {}, 400],
  ])('refuses %s', async (_, body, headers, status) => {
    const answer = await post(body, { headers });

    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body).length).toBeLessThan(8_000);
  });

  it.each([
    '?not_before=yesterday',
    '?not_before=2020-01-01T00:00:00Z',
    '?per_minute=0',
    '?colour=red',
    '?per_minute=1&per_minute=1',
  ])('refuses the query %s', async (query) => {
    expect((await post(linesOf(1), { query })).status).toBe(400);
  });

  it('names a parameter that is given twice', async () => {
    const answer = await post(linesOf(1), { query: '?per_minute=1&per_minute=2' });

    expect(answer.body['fields']).toEqual([{ field: '?per_minute', problem: 'is given twice' }]);
  });

  it("finds nobody else's, and nothing that is none", async () => {
    const { body } = await post(linesOf(1));
    const stranger = await stack.tenant();
    const asStranger = await stack.call('GET', path(`/${String(body['id'])}`), { key: stranger.key });
    const posted = await post(linesOf(1), { key: stranger.key });
    const elsewhere = await stack.connection(owner, anAccount);
    const wrongPlace = await stack.call('DELETE', `/v1/connections/${elsewhere}/bulk-sends/${String(body['id'])}`, {
      key: owner.key,
    });
    const nonsense = [
      await call('GET', '/blk_1'),
      await call('GET', '?before=blk_1'),
      await call('GET', `/${String(body['id'])}/messages?after=x`),
    ];

    expect([asStranger, posted].map((answer) => answer.body['code'])).toEqual([
      'connection_not_found',
      'connection_not_found',
    ]);
    expect(wrongPlace.body['code']).toBe('bulk_send_not_found');
    expect(nonsense.map((answer) => answer.body['code'])).toEqual([
      'bulk_send_not_found',
      'invalid_cursor',
      'invalid_cursor',
    ]);
  });
});
