import { describe, expect, it } from 'vitest';
import type { Fact } from '../../../../shared/event/facts/factRows.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import type { Session } from '../../../../worker/session/session.ts';
import { FactsInOrder } from '../../../../worker/socket/inbound/factsInOrder.ts';
import { owned, settle } from '../../runner/fakes.ts';

const fact = (key: string): Fact => ({ kind: 'status', key, atMs: 1, status: 'unpaired', code: 'never_paired' });

/** Publishes end when the test says so. */
function someFacts() {
  const begun: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const session = { getKeys: async () => ({}) } as unknown as Session;
  const options = {
    connection: owned,
    session,
    clock: systemClock,
    random: systemRandom,
    publisher: {
      publish: (_connection: unknown, events: readonly Fact[]) => {
        begun.push(...events.map(({ key }) => key));
        const end = Promise.withResolvers<void>();
        ends.push(end);
        return end.promise;
      },
    },
  } as const;
  const facts = new FactsInOrder(options, () => ({ phoneJid: '4915100000001@s.whatsapp.net', lid: undefined }));
  return { facts, begun, ends };
}

describe('the facts of a socket', () => {
  it('go out one after the other, also when one fails', async () => {
    const { facts, begun, ends } = someFacts();

    const first = facts.publish([fact('one')]);
    const second = facts.publish([fact('two')]);
    await settle();
    const whileOneIsOut = [...begun];
    ends[0]?.reject(new Error('queue is down'));
    await expect(first).rejects.toThrow('queue is down');
    await settle();
    ends[1]?.resolve();
    await second;

    expect(whileOneIsOut).toEqual(['one']);
    expect(begun).toEqual(['one', 'two']);
  });

  it('cost nothing when there are none', async () => {
    const { facts, begun } = someFacts();

    await facts.publish([]);

    expect(begun).toEqual([]);
  });

  it('let go of a publish that does not end once they are abandoned, and begin no other', async () => {
    const { facts, begun, ends } = someFacts();
    const hanging = facts.publish([fact('one')]);
    const behind = facts.publish([fact('two')]);
    await settle();

    facts.abandon();
    const results = await Promise.allSettled([hanging, behind, facts.publish([fact('three')]), facts.settled()]);
    // Too late for anybody: neither a crash nor a second result.
    ends[0]?.reject(new Error('queue is down'));
    await settle();

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
    expect(begun).toEqual(['one']);
  });
});
