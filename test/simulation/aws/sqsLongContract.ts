import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aQueue, type SqsCase } from './sqsUnderTest.ts';

/** Cases that take longer than a test may wait: of the fake, with its own time, alone. */
export const longContract: readonly SqsCase[] = [
  {
    sentence: 'an id is forgotten after five minutes, counted from the message that was added',
    show: async (service) => {
      const queue = await aQueue(service);
      const first = await queue.send('group', 'a', 'id');
      await service.elapse(299_999);
      const second = await queue.send('group', 'b', 'id');

      await service.elapse(1);
      const third = await queue.send('group', 'c', 'id');

      expect(second.MessageId).toBe(first.MessageId);
      expect(third.MessageId).not.toBe(first.MessageId);
      expect(await queue.receiveBodies()).toBe('a c');
    },
  },
  {
    sentence: 'a message is hidden to the millisecond, and its handle good as long',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 5 });

      await service.elapse(4_999);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(handle, 5);
      await service.elapse(5_000);

      expect(await outcomeOf(queue.delete(handle))).toBe('InvalidParameterValue');
      expect(await outcomeOf(queue.hide(handle, 5))).toBe('MessageNotInflight');
      expect(await queue.receiveBodies()).toBe('a1');
    },
  },
  {
    sentence: 'what is hidden for longer stays hidden, and its handle good',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 5 });

      await service.elapse(4_000);
      await queue.hide(handle, 30);
      await service.elapse(29_999);

      expect(await queue.receiveBodies()).toBe('');
      await queue.delete(handle);
      expect(await queue.receiveBodies()).toBe('a2');
    },
  },
  {
    sentence: 'messages of a group that are hidden until different times come back together',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const [, second] = await queue.receive({ VisibilityTimeout: 5 });
      await queue.hide(second?.handle ?? '', 10);

      await service.elapse(5_000);
      expect(await queue.receiveBodies()).toBe('');
      await service.elapse(5_000);

      expect(await queue.receiveBodies()).toBe('a1 a2');
    },
  },
  {
    sentence: 'a message is hidden for twelve hours at most, counted from its receive',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 43_200 });
      await service.elapse(1_000);

      expect(await outcomeOf(queue.hide(handle, 43_200))).toBe('InvalidParameterValue');
      expect(await outcomeOf(queue.hide(handle, 43_199))).toBe('taken');
    },
  },
];
