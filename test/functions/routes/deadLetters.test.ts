import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  deadQueueOf,
  letterKinds,
  toReasonAttribute,
  type LetterKind,
} from '../../../shared/deadLetters/deadLetter.ts';
import { settleDeadLetters } from '../../../shared/deadLetters/settleDeadLetters.ts';
import { commandQueueName, deliveryQueueName } from '../../../shared/platform/queues.ts';
import { ApiStack, type Answered } from '../api/apiStack.ts';

interface Letter {
  readonly id: string;
  readonly queue: LetterKind;
  readonly reason: string;
  readonly tenantId?: string;
}

describe('dead letters, as operators see them', () => {
  let stack: ApiStack;
  let puts = 0;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());
  afterEach(async () => {
    await settle('discard', { all: true });
  });

  const urlOf = (name: string): string => `${stack.dependencies.queueUrlBase}${name}`;
  const put = async (kind: LetterKind, body: string, attributes = {}): Promise<string> => {
    const name = deadQueueOf(kind, 'test');
    const { MessageId } = await stack.dependencies.queue.send(
      new SendMessageCommand({
        QueueUrl: urlOf(name),
        MessageBody: body,
        MessageAttributes: attributes,
        MessageGroupId: `group-${(puts += 1)}`,
        ...(name.endsWith('.fifo') ? { MessageDeduplicationId: `put-${puts}` } : {}),
      }),
    );
    return `${kind}_${MessageId}`;
  };
  const look = (query = ''): Promise<Answered> =>
    stack.call('GET', `/v1/admin/dead-letters${query}`, { key: stack.operatorKey });
  const lettersOf = ({ body }: Answered) => body['data'] as readonly Letter[];
  const settle = (act: string, body: object): Promise<Answered> =>
    stack.call('POST', `/v1/admin/dead-letters/${act}`, { key: stack.operatorKey, body });
  const waitingIn = async (name: string): Promise<readonly string[]> => {
    const { Messages = [] } = await stack.dependencies.queue.send(
      new ReceiveMessageCommand({ QueueUrl: urlOf(name), MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
    );
    return Messages.map(({ Body = '' }) => Body);
  };
  const aDelivery = (tenantId = 'tnt_1', eventId = 'evt_1'): string =>
    JSON.stringify({
      version: 1,
      tenantId,
      endpointId: 'end_1',
      eventId,
      correlationId: 'cor_1',
      deliveryId: 'dlv_1',
      event: JSON.stringify({ connectionId: 'con_1', data: { text: 'secret words' } }),
    });

  it.each([
    ['GET', '/v1/admin/dead-letters'],
    ['POST', '/v1/admin/dead-letters/redrive'],
    ['POST', '/v1/admin/dead-letters/discard'],
  ])('%s %s needs the key of an operator', async (method, path) => {
    const tenant = await stack.tenant();

    const answer = await stack.call(method, path, {
      key: tenant.key,
      body: method === 'GET' ? undefined : { all: true },
    });

    expect([answer.status, answer.body['code']]).toEqual([403, 'forbidden']);
  });

  it('are shown with reason, age and whose they are, from all queues, and without what was said', async () => {
    const command = { tenantId: 'tnt_1', connectionId: 'con_1', kind: 'send_message', messageId: 'msg_1' };
    await put('commands', JSON.stringify(command), toReasonAttribute('unreadable'));
    await put('events', JSON.stringify({ tenantId: 'tnt_2', connectionId: 'con_2', events: [{ kind: 'message' }] }));
    await put('deliveries', aDelivery());
    await put('media', 'nothing that can be read: secret words');

    const answer = await look();

    expect(answer.status).toBe(200);
    expect(answer.body['counts']).toEqual({ commands: 1, events: 1, deliveries: 1, media: 1 });
    expect(answer.body['hasMore']).toBe(false);
    expect(JSON.stringify(answer.body)).not.toContain('secret words');
    expect(lettersOf(answer)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ queue: 'commands', reason: 'unreadable', messageId: 'msg_1', what: 'send_message' }),
        expect.objectContaining({ queue: 'events', reason: 'received_too_often', tenantId: 'tnt_2', what: 'message' }),
        expect.objectContaining({ queue: 'deliveries', webhookId: 'end_1', eventId: 'evt_1', connectionId: 'con_1' }),
        expect.objectContaining({ queue: 'media', reason: 'received_too_often', bytes: 38 }),
      ]),
    );
  });

  it('have the same id at each look, and are there again after it', async () => {
    const id = await put('deliveries', aDelivery());

    const looks = [await look(), await look('?queue=deliveries'), await look('?tenantId=tnt_1')];

    expect(looks.map((one) => lettersOf(one).map((letter) => letter.id))).toEqual([[id], [id], [id]]);
    expect(lettersOf(await look('?tenantId=tnt_other'))).toEqual([]);
  });

  it('are redriven one by one: the named one goes to its queue, the others stay', async () => {
    const [first, second] = [
      await put('deliveries', aDelivery('tnt_1', 'evt_1')),
      await put('deliveries', aDelivery('tnt_1', 'evt_2')),
    ];
    const gone = 'deliveries_00000000-0000-4000-8000-000000000000';

    const answer = await settle('redrive', { ids: [second, gone], by: 'ada' });

    expect(answer.body).toEqual({ settled: [second], stay: [], missing: [gone], hasMore: false });
    expect(await waitingIn(deliveryQueueName('test'))).toEqual([aDelivery('tnt_1', 'evt_2')]);
    expect(lettersOf(await look()).map(({ id }) => id)).toEqual([first]);
  });

  it('that come back while all are redriven stay for another time', async () => {
    const id = await put('events', 'nobody reads this');
    const { queue } = stack.dependencies;
    const dead = urlOf(deadQueueOf('events', 'test'));
    let returns = 0;
    const send = (async (command: Parameters<typeof queue.send>[0]) => {
      const answer = await queue.send(command);
      const isRedrive = command instanceof SendMessageCommand && command.input.QueueUrl !== dead;
      // The reader of its queue puts it away at once, and SQS says when.
      if (isRedrive && (returns += 1) < 5) await put('events', 'nobody reads this');
      return answer;
    }) as typeof queue.send;
    const quick = Object.assign(Object.create(queue) as typeof queue, { send });

    const answer = await stack
      .withAdmin({ queue: quick })
      .call('POST', '/v1/admin/dead-letters/redrive', { key: stack.operatorKey, body: { all: true, queue: 'events' } });

    expect(answer.body['settled']).toEqual([id]);
    expect(lettersOf(await look())).toHaveLength(1);
  });

  it('of a connection that is gone stay, and those of one that is there go to its shard', async () => {
    const owner = await stack.tenant();
    const connectionId = await stack.connection(owner);
    const command = {
      version: 1,
      kind: 'control',
      control: 'start',
      tenantId: owner.tenantId,
      connectionId,
      correlationId: 'c',
    };
    const there = await put('commands', JSON.stringify(command));
    const gone = await put('commands', JSON.stringify({ ...command, connectionId: 'con_gone' }));
    const unreadable = await put('commands', 'no command');

    const answer = await settle('redrive', { all: true, queue: 'commands' });

    expect(answer.body['settled']).toEqual([there]);
    expect([...(answer.body['stay'] as string[])].sort()).toEqual([gone, unreadable].sort());
    const queues = await Promise.all([0, 1].map((shard) => waitingIn(commandQueueName('test', shard))));
    expect(queues.flat().map((body) => JSON.parse(body) as object)).toEqual(expect.arrayContaining([command]));
    expect(lettersOf(await look('?queue=commands'))).toHaveLength(2);
  });

  it('that all stay are no reason to ask once more', async () => {
    for (let made = 0; made < 3; made += 1) await put('commands', `no command ${made}`);
    const { queue, stage, queueUrlBase, clock, logger } = stack.dependencies;
    const findConnection = () => Promise.resolve(undefined);

    const settled = await settleDeadLetters({ queue, stage, queueUrlBase, clock, logger, findConnection }, 'commands', {
      act: 'redrive',
      by: 'ada',
      isMeant: () => true,
      most: { looked: 2, settled: 10 },
    });

    expect(settled).toMatchObject({ settled: [], hasMore: false });
    expect(settled.stay).toHaveLength(2);
  });

  it('are discarded by tenant, and the others stay', async () => {
    await put('deliveries', aDelivery('tnt_1'));
    const other = await put('deliveries', aDelivery('tnt_2'));

    const answer = await settle('discard', { all: true, tenantId: 'tnt_1' });

    expect(answer.body['settled']).toHaveLength(1);
    expect(lettersOf(await look()).map(({ id }) => id)).toEqual([other]);
  });

  it('each have a line in the log when they are settled, with who asked', async () => {
    const id = await put('deliveries', aDelivery());
    const lines: unknown[] = [];
    const logger = { ...stack.dependencies.logger, info: (...line: unknown[]) => void lines.push(line) };

    await stack.withAdmin({ logger }).call('POST', '/v1/admin/dead-letters/discard', {
      key: stack.operatorKey,
      body: { ids: [id], by: 'ada' },
    });

    const fields = expect.objectContaining({ letterId: id, tenantId: 'tnt_1', action: 'discard', by: 'ada' });
    expect(lines).toEqual(expect.arrayContaining([['a dead letter was settled', fields]]));
  });

  it.each([
    [{}],
    [{ all: true, ids: ['media_1'] }],
    [{ ids: [] }],
    [{ ids: ['letters_1'] }],
    [{ ids: ['media_1'], queue: 'media' }],
    [{ all: false }],
    [{ all: true, by: 'a b' }],
  ])('are not settled by %j', async (body) => {
    expect((await settle('discard', body)).status).toBe(400);
  });

  it('are of each kind that there is a queue for', () => {
    expect(letterKinds.map((kind) => deadQueueOf(kind, 'test'))).toEqual([
      'test-command-dead.fifo',
      'test-events-dead.fifo',
      'test-deliveries-dead',
      'test-media-dead',
    ]);
  });
});
