import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aQueue, OVER_A_SECOND_MS, type SqsCase } from './sqsUnderTest.ts';

export const receiveContract: readonly SqsCase[] = [
  {
    sentence: 'a group with a message in flight gives none, and another group does',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const first = await queue.receiveOne();
      await queue.send('b', 'b1');

      expect(first.Body).toBe('a1');
      expect(await queue.receiveBodies()).toBe('b1');
      expect(await queue.receiveBodies()).toBe('');
      await queue.delete(first.handle);
      expect(await queue.receiveBodies()).toBe('a2');
    },
  },
  {
    sentence: 'a receive answers one message unless more are asked for, and ten at most',
    show: async (service) => {
      const queue = await aQueue(service);
      for (let group = 0; group < 12; group += 1) await queue.send(`g${group}`, `m${group}`);

      expect(await queue.receive({ MaxNumberOfMessages: undefined })).toHaveLength(1);
      expect(await queue.receive()).toHaveLength(10);
      expect(await outcomeOf(queue.receive({ MaxNumberOfMessages: 11 }))).toMatch(/InvalidParameterValue$/);
      expect(await outcomeOf(queue.receive({ VisibilityTimeout: 43_201 }))).toMatch(/InvalidParameterValue$/);
    },
  },
  {
    sentence: 'a receive answers as many of one group as there are, in order, and then of the next',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2', 'a3']) await queue.send('a', body);
      for (const body of ['b1', 'b2']) await queue.send('b', body);

      expect(await queue.receiveBodies({ MaxNumberOfMessages: 4 })).toBe('a1 a2 a3 b1');
      expect(await queue.receiveBodies()).toBe('');
    },
  },
  {
    sentence: 'a message that was not deleted in time comes again, before the rest of its group',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const first = await queue.receiveOne({ VisibilityTimeout: 1 });

      await service.elapse(OVER_A_SECOND_MS);

      const second = await queue.receiveOne();
      expect([second.Body, second.Attributes?.ApproximateReceiveCount]).toEqual(['a1', '2']);
      expect(second.handle).not.toBe(first.handle);
    },
  },
  {
    sentence: 'a queue hides a message for its own time if a receive names none',
    show: async (service) => {
      const queue = await aQueue(service, { visibilitySeconds: 1 });
      await queue.send('a', 'a1');
      await queue.receiveOne();

      await service.elapse(OVER_A_SECOND_MS);

      expect(await queue.receiveBodies()).toBe('a1');
    },
  },
  {
    sentence: 'a message that is shown again comes at once, before the rest of its group',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const { handle } = await queue.receiveOne();

      await queue.hide(handle, 0);

      const again = await queue.receiveOne();
      expect([again.Body, again.Attributes?.ApproximateReceiveCount]).toEqual(['a1', '2']);
    },
  },
  {
    sentence: 'what is to be hidden for another time is hidden so long from now',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const { handle } = await queue.receiveOne();

      await queue.hide(handle, 60);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(handle, 1);
      await service.elapse(OVER_A_SECOND_MS);

      const again = await queue.receiveOne();
      expect([again.Body, again.Attributes?.ApproximateReceiveCount]).toEqual(['a1', '2']);
    },
  },
  {
    sentence: 'a group comes back when the last of its messages is shown again, and in order',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2', 'a3']) await queue.send('a', body);
      const [first, second, third] = (await queue.receive()).map(({ handle }) => handle);

      await queue.hide(second ?? '', 0);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(third ?? '', 0);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(first ?? '', 0);

      expect(await queue.receiveBodies()).toBe('a1 a2 a3');
    },
  },
  {
    sentence:
      'a message that was received too often goes to the dead letters with its group, and lets the next one pass',
    show: async (service) => {
      const queue = await aQueue(service, { maxReceiveCount: 2 });
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      for (let time = 0; time < 2; time += 1) {
        const { Body, handle } = await queue.receiveOne();
        expect(Body).toBe('a1');
        await queue.hide(handle, 0);
      }

      expect(await queue.receiveBodies()).toBe('a2');

      const dead = await queue.receive({}, queue.deadUrl);
      expect(dead.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId])).toEqual([['a1', 'a']]);
    },
  },
  {
    sentence: 'a message is not dead while it can still be done in its last receive',
    show: async (service) => {
      const queue = await aQueue(service, { maxReceiveCount: 1 });
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne();

      expect(await queue.receiveBodies()).toBe('');
      await queue.delete(handle);

      expect(await queue.receive({}, queue.deadUrl)).toEqual([]);
    },
  },
];
