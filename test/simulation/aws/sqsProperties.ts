import * as fc from 'fast-check';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aQueue, type SqsCase } from './sqsUnderTest.ts';

type Step =
  | { readonly step: 'send'; readonly group: string }
  | { readonly step: 'receive'; readonly most: number }
  | { readonly step: 'delete' | 'return'; readonly which: number };

const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ step: fc.constant('send' as const), group: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ step: fc.constant('receive' as const), most: fc.integer({ min: 1, max: 10 }) }),
  fc.record({ step: fc.constantFrom('delete' as const, 'return' as const), which: fc.nat(20) }),
);

/** What is promised whatever happens, told by one who keeps account. */
export const sqsProperties: readonly SqsCase[] = [
  {
    sentence: 'always, every message that is left comes, in the order of its group, and none of a group in flight',
    show: async (service) => {
      const steps = fc.array(aStep, { minLength: 5, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(steps, async (given) => {
          const queue = await aQueue(service);
          const left = new Map<string, string[]>(['a', 'b', 'c'].map((group) => [group, []]));
          const inFlight: { readonly group: string; readonly body: string; readonly handle: string }[] = [];
          let sent = 0;
          const receive = async (most: number): Promise<number> => {
            const busy = new Set(inFlight.map(({ group }) => group));
            const received = await queue.receive({ MaxNumberOfMessages: most });
            for (const { Body: body = '', handle, Attributes } of received) {
              const group = Attributes?.MessageGroupId ?? '';
              expect(busy).not.toContain(group);
              // The next of its group that is not in flight since this receive began.
              const ahead = inFlight.filter((message) => message.group === group).length;
              expect(left.get(group)?.[ahead]).toBe(body);
              inFlight.push({ group, body, handle });
            }
            const free = [...left].filter(([group, bodies]) => !busy.has(group) && bodies.length > 0);
            expect(received.length > 0).toBe(free.length > 0);
            return received.length;
          };
          for (const step of given) {
            if (step.step === 'send') {
              const body = `${step.group}${(sent += 1)}`;
              await queue.send(step.group, body);
              left.get(step.group)?.push(body);
            } else if (step.step === 'receive') await receive(step.most);
            else {
              // Back goes the last one of a group, as a worker that keeps the order gives back.
              const chosen = inFlight[step.which % Math.max(1, inFlight.length)];
              const message = inFlight.findLast(({ group }) => group === chosen?.group);
              if (message === undefined) continue;
              inFlight.splice(inFlight.indexOf(message), 1);
              if (step.step === 'return') await queue.hide(message.handle, 0);
              else {
                expect(await outcomeOf(queue.delete(message.handle))).toBe('taken');
                const bodies = left.get(message.group) ?? [];
                bodies.splice(bodies.indexOf(message.body), 1);
              }
            }
          }

          for (const { handle } of inFlight.splice(0).toReversed()) await queue.hide(handle, 0);
          while ((await receive(10)) > 0);
        }),
        { numRuns: 15 },
      );
    },
  },
];
