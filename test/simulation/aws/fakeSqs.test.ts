import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf, testCases } from './contract.ts';
import { FakeSqs } from './fakeSqs.ts';
import { sqsContract } from './sqsContract.ts';
import { longContract } from './sqsLongContract.ts';
import { aQueue, type SqsUnderTest } from './sqsUnderTest.ts';

/** The fake with a time of its own. */
function aFake(): SqsUnderTest & { readonly fake: FakeSqs; readonly nowMs: () => number } {
  const fake = new FakeSqs();
  let nowMs = 1_000_000;
  let queues = 0;
  return {
    fake,
    nowMs: () => nowMs,
    send: (async (command: unknown) => fake.apply(command, nowMs)) as SQSClient['send'],
    elapse: async (ms) => void (nowMs += ms),
    newQueue: async ({ fifo, visibilitySeconds, maxReceiveCount }) => {
      const [url, deadUrl] = [`https://sqs/${(queues += 1)}`, `https://sqs/${queues}-dead`];
      fake.createQueue({ url: deadUrl, fifo, visibilitySeconds });
      const deadLetter = maxReceiveCount === undefined ? {} : { deadLetter: { url: deadUrl, maxReceiveCount } };
      fake.createQueue({ url, fifo, visibilitySeconds, ...deadLetter });
      return { url, deadUrl };
    },
  };
}

describe('the fake of SQS', () => {
  testCases([...sqsContract, ...longContract], aFake, []);

  it.each([
    ['refuses the 301st call of a second', false, 1],
    ['refuses none of as many groups, with high throughput', true, 0],
  ])('%s', async (_what, highThroughput, refused) => {
    const fake = new FakeSqs();
    const url = 'https://sqs/limited.fifo';
    fake.createQueue({ url, visibilitySeconds: 30, highThroughput });
    const send = (place: number, atMs: number) =>
      fake.apply(
        new SendMessageCommand({
          QueueUrl: url,
          MessageBody: 'body',
          MessageGroupId: String(place % 50),
          MessageDeduplicationId: `${atMs} ${place}`,
        }),
        atMs,
      );

    for (let place = 0; place < 300; place += 1) send(place, 5_000);
    const outcome = await outcomeOf(Promise.resolve().then(() => send(300, 5_999)));
    send(301, 6_000);

    expect(outcome).toBe(refused === 0 ? 'taken' : 'RequestThrottled');
    expect(fake.throttled(url)).toBe(refused);
  });

  it('with high throughput knows an id again in its group only', () => {
    const fake = new FakeSqs();
    const url = 'https://sqs/deduplicated.fifo';
    fake.createQueue({ url, visibilitySeconds: 30, highThroughput: true });
    const send = (group: string) =>
      fake.apply(
        new SendMessageCommand({
          QueueUrl: url,
          MessageBody: 'body',
          MessageGroupId: group,
          MessageDeduplicationId: 'id',
        }),
        1_000,
      );

    for (const group of ['a', 'a', 'b']) send(group);

    expect(fake.messages(url).map(({ group }) => group)).toEqual(['a', 'b']);
  });

  it('shows what is in a queue, in flight or not', async () => {
    const service = aFake();
    const queue = await aQueue(service);
    for (const [group, body] of [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
    ] as const) {
      await queue.send(group, body);
    }

    await queue.receive();

    expect(service.fake.depth(queue.url)).toBe(3);
    expect(service.fake.messages(queue.url)).toMatchObject([
      { body: '1', group: 'b', receives: 1, hiddenUntilMs: service.nowMs() + 30_000 },
      { body: '2', group: 'a', receives: 1 },
      { body: '3', group: 'b', receives: 1 },
    ]);
  });

  it('always knows when a receive answers something, at the earliest', async () => {
    const aStep = fc.oneof(
      fc.record({ step: fc.constant('send' as const), group: fc.constantFrom('a', 'b') }),
      fc.record({ step: fc.constant('receive' as const), seconds: fc.nat(20), most: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ step: fc.constant('elapse' as const), ms: fc.nat(10_000) }),
      fc.record({ step: fc.constant('hide' as const), which: fc.nat(5), seconds: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { maxLength: 20 }), async (steps) => {
        const service = aFake();
        const queue = await aQueue(service, { maxReceiveCount: 3 });
        const handles: string[] = [];
        let sent = 0;
        for (const step of steps) {
          if (step.step === 'send') await queue.send(step.group, String((sent += 1)));
          if (step.step === 'elapse') await service.elapse(step.ms);
          if (step.step === 'hide')
            await queue.hide(handles[step.which] ?? 'message-0:1', step.seconds).catch(() => {});
          if (step.step === 'receive') {
            const received = await queue.receive({ MaxNumberOfMessages: step.most, VisibilityTimeout: step.seconds });
            handles.push(...received.map(({ handle }) => handle));
          }
        }

        const nextMs = service.fake.nextVisibleAtMs(queue.url, service.nowMs());

        // Until then nothing comes, then something; if it says never, then never.
        const hasNothing = async (): Promise<boolean> => (await queue.receive()).length === 0;
        const waitMs = (nextMs ?? service.nowMs() + 1_000_000) - service.nowMs();
        if (waitMs > 0) await service.elapse(waitMs - 1);
        const hadNothing = waitMs === 0 || (await hasNothing());
        if (waitMs > 0) await service.elapse(1);
        expect(hadNothing).toBe(true);
        expect(await hasNothing()).toBe(nextMs === undefined);
      }),
      { numRuns: 300 },
    );
  });
});
