import { EventEmitter } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { Acknowledgements } from '../../../worker/socket/sending/acknowledgements.ts';
import { AddressLocks } from '../../../worker/socket/signal/addressLocks.ts';
import { FairTurns } from '../../../worker/socket/port/fairTurns.ts';
import { InboundOrder } from '../../../worker/socket/inbound/inboundOrder.ts';
import { SocketEvidence } from '../../../worker/socket/socketEvidence.ts';
import { settle } from '../runner/fakes.ts';

const CONNECTION = 'con_1' as ConnectionId;

/** The evidence of a socket with everything that it is made of; time moves by hand. */
function aSocket() {
  let nowMs = 1_000_000;
  let openSinceMs = 0;
  const monotonicMs = (): number => nowMs;
  const emitter = new EventEmitter();
  const raw = new EventEmitter();
  const works: PromiseWithResolvers<void>[] = [];
  const inbound = new InboundOrder(emitter, () => undefined, new FairTurns(), monotonicMs);
  inbound.insertBefore('CB:message', async () => {
    const work = Promise.withResolvers<void>();
    works.push(work);
    await work.promise;
    return undefined;
  });
  const sends = new Acknowledgements(monotonicMs);
  const locks = new AddressLocks(monotonicMs);
  const evidence = new SocketEvidence(
    {
      connection: { connectionId: CONNECTION },
      gate: { openForMs: () => nowMs - openSinceMs },
      clock: { monotonicMs },
    },
    inbound,
    sends,
    locks,
  );
  evidence.watch(raw);
  return {
    raw,
    sends,
    locks,
    evidence,
    pass: (durationMs: number) => {
      nowMs += durationMs;
    },
    /** The gate was closed, and has opened now. */
    resume: () => {
      openSinceMs = nowMs;
    },
    now: () => evidence.at(nowMs),
    arrive: () => emitter.emit('CB:message', { tag: 'message', attrs: {} }),
    finish: async () => {
      works.shift()?.resolve();
      await settle();
    },
  };
}

describe('the evidence of a socket', () => {
  it('counts the opening from the open WebSocket: before that the network has a deadline of its own', () => {
    const { raw, pass, now } = aSocket();

    pass(100_000);
    const connecting = now();
    raw.emit('open');
    pass(20_000);

    expect(connecting).toMatchObject({ phase: 'opening', phaseMs: 0, lastFrameMs: 100_000 });
    expect(now()).toMatchObject({ phase: 'opening', phaseMs: 20_000, lastFrameMs: 120_000 });
  });

  it('begins a phase once, however often an offer is renewed', () => {
    const { raw, evidence, pass, now } = aSocket();
    raw.emit('open');
    pass(5_000);

    evidence.enter('pairing');
    pass(20_000);
    evidence.enter('pairing');
    const pairing = now();
    evidence.enter('opening');
    pass(1_000);
    const opening = now();
    evidence.enter('open');

    expect(pairing).toMatchObject({ phase: 'pairing', phaseMs: 20_000 });
    expect(opening).toMatchObject({ phase: 'opening', phaseMs: 1_000 });
    expect(now()).toMatchObject({ phase: 'open', phaseMs: 0 });
  });

  it('hears each frame of the network', () => {
    const { raw, pass, now } = aSocket();
    pass(40_000);

    raw.emit('message', Buffer.alloc(1));
    pass(3_000);

    expect(now().lastFrameMs).toBe(3_000);
  });

  it('lets a stanza grow old from when it is first in line, its turn included, until it is handled', async () => {
    const { arrive, finish, pass, now } = aSocket();
    const none = now();

    arrive();
    pass(10_000);
    await settle();
    pass(10_000);
    const inHand = now();
    await finish();
    pass(2_000);

    expect(none).toMatchObject({ oldestUnhandledMs: undefined, lastHandledMs: undefined });
    expect(inHand).toMatchObject({ oldestUnhandledMs: 20_000, lastHandledMs: undefined });
    expect(now()).toMatchObject({ oldestUnhandledMs: undefined, lastHandledMs: 2_000 });
  });

  it('is never older than one stanza took while a line of any length moves on, and grows when it stands still', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 2, maxLength: 30 }), async (took) => {
        const { arrive, finish, pass, now } = aSocket();
        for (const _ of took) arrive();
        await settle();
        const ages: (number | undefined)[] = [];
        for (const durationMs of took.slice(1)) {
          pass(durationMs);
          ages.push(now().oldestUnhandledMs);
          await finish();
        }
        pass(90_000);

        expect(ages).toEqual(took.slice(1));
        expect(now().oldestUnhandledMs).toBe(90_000);
      }),
      { numRuns: 20 },
    );
  });

  it('lets a send that was given up count until WhatsApp answers any other', () => {
    const { sends, pass, now } = aSocket();
    const ages: (number | undefined)[] = [];
    const note = (): void => void ages.push(now().oldestUnacknowledgedMs);

    note();
    void sends.expect('one');
    pass(20_000);
    sends.giveUp('one');
    note();
    pass(10_000);
    void sends.expect('one');
    pass(20_000);
    note();
    sends.arrive('other', undefined);
    note();
    sends.arrive('one', '463');
    note();

    expect(ages).toEqual([undefined, 20_000, 50_000, 20_000, undefined]);
    expect(now().lastAckMs).toBe(0);
  });

  it('does not let a send count that failed by itself', () => {
    const { sends, pass, now } = aSocket();

    void sends.expect('one');
    pass(20_000);
    sends.forget('one');
    sends.giveUp('one');

    expect(now().oldestUnacknowledgedMs).toBeUndefined();
  });

  it('knows the lock of its account that is held longest, not who waits for it, and not those of others', async () => {
    const { locks, pass, now } = aSocket();
    const works = [0, 1, 2].map(() => Promise.withResolvers<void>());
    const ages: (number | undefined)[] = [];
    const note = (): void => void ages.push(now().oldestLockMs);

    const first = locks.run(CONNECTION, 'bob.0', () => works[0]?.promise ?? Promise.resolve());
    void locks.run('con_2', 'bob.0', () => new Promise(() => undefined));
    await settle();
    pass(5_000);
    const second = locks.run(CONNECTION, 'bob.0', () => works[1]?.promise ?? Promise.resolve());
    await settle();
    pass(5_000);
    note();
    works[0]?.reject(new Error('failed'));
    await expect(first).rejects.toThrow('failed');
    await settle();
    pass(1_000);
    note();
    works[1]?.resolve();
    await second;
    note();

    expect(ages).toEqual([10_000, 1_000, undefined]);
  });

  it('is never older than the gate has been open: a suspension counts neither while it lasts nor after it', async () => {
    const { raw, evidence, sends, locks, arrive, pass, resume, now } = aSocket();
    raw.emit('open');
    evidence.enter('open');
    arrive();
    void sends.expect('one');
    void locks.run(CONNECTION, 'bob.0', () => new Promise(() => undefined));
    await settle();
    pass(55_000);
    const before = now();

    pass(30_000);
    resume();
    const resumed = now();
    pass(7_000);

    const all = (ageMs: number) => ({
      phase: 'open',
      phaseMs: ageMs,
      lastFrameMs: ageMs,
      lastHandledMs: undefined,
      lastAckMs: undefined,
      oldestUnhandledMs: ageMs,
      oldestUnacknowledgedMs: ageMs,
      oldestLockMs: ageMs,
    });
    expect(before).toEqual(all(55_000));
    expect(resumed).toEqual(all(0));
    expect(now()).toEqual(all(7_000));
  });
});
