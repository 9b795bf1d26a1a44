import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorRules } from '../../../shared/kernel/errorRules.ts';
import { backoffMs } from '../../../shared/kernel/backoff.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import {
  deriveMessageId,
  makeEventId,
  makeId,
  makeStanzaId,
  parseCorrelationId,
  parseEventId,
  type EventPosition,
  parseId,
  type ConnectionId,
} from '../../../shared/kernel/id.ts';
import { isLid, parseJid, parsePhoneNumber, withoutDevice } from '../../../shared/kernel/jid.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Secret } from '../../../shared/kernel/secret.ts';

describe('ids', () => {
  it.each(['tnt', 'key', 'con', 'msg', 'end', 'wrk', 'cor'] as const)(
    'of kind %s are made, read and told apart',
    (kind) => {
      const id = makeId(kind, Date.now(), systemRandom);

      expect(parseId(kind, id)).toBe(id);
      expect(parseId(kind === 'con' ? 'msg' : 'con', id)).toBeUndefined();
      expect(parseId(kind, `${id}x`)).toBeUndefined();
    },
  );

  it('sort by the time at which they were made', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 40 }), (left, right) => {
        fc.pre(left < right);

        expect(makeId('msg', left, systemRandom) < makeId('msg', right, systemRandom)).toBe(true);
      }),
    );
  });

  it('of events say where they stand, and sort as the log of a connection does', () => {
    const aPosition = fc.record({
      generation: fc.nat(1_023),
      lane: fc.nat(63),
      page: fc.nat(32 ** 9 - 1),
      index: fc.nat(1_023),
    });
    const byPlace = (left: EventPosition, right: EventPosition): number =>
      left.generation - right.generation || left.page - right.page || left.index - right.index;
    fc.assert(
      fc.property(aPosition, aPosition, (left, other) => {
        // A connection has one lane in a generation.
        const right = { ...other, lane: left.generation === other.generation ? left.lane : other.lane };
        expect(parseEventId(makeEventId(left))).toEqual(left);
        expect(Math.sign(byPlace(left, right))).toBe(
          makeEventId(left) === makeEventId(right) ? 0 : makeEventId(left) < makeEventId(right) ? -1 : 1,
        );
      }),
    );
  });

  it('of a received message are the same whenever its stanza comes, and differ in chat, sender, stanza and connection', () => {
    const con = 'con_A' as ConnectionId;
    const stanza = { chat: 'a@lid', sender: 'b@lid', stanzaId: 'X', timestampMs: 1_700_000_000_000 };
    const id = deriveMessageId(con, stanza);

    expect(deriveMessageId(con, { ...stanza })).toBe(id);
    expect(parseId('msg', id)).toBe(id);
    const others = [
      deriveMessageId('con_B' as ConnectionId, stanza),
      deriveMessageId(con, { ...stanza, chat: 'c@lid' }),
      deriveMessageId(con, { ...stanza, sender: 'c@lid' }),
      deriveMessageId(con, { ...stanza, stanzaId: 'Y' }),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });

  it('of stanzas look like those of WhatsApp Web', () => {
    expect(makeStanzaId(systemRandom)).toMatch(/^3EB0[0-9A-F]{18}$/);
  });

  it.each([
    ['abcdefgh', true],
    ['a.b-c_9-', true],
    ['short', false],
    ['with blank', false],
    ['x'.repeat(65), false],
    ['inject\nion1', false],
    [undefined, false],
  ])('of correlation given by callers: %j is taken: %s', (text, taken) => {
    expect(parseCorrelationId(text) !== undefined).toBe(taken);
  });
});

describe('addresses', () => {
  it.each([
    ['491511234567@s.whatsapp.net', { user: '491511234567', device: 0, server: 's.whatsapp.net' }],
    ['491511234567:12@s.whatsapp.net', { user: '491511234567', device: 12, server: 's.whatsapp.net' }],
    ['99:3@lid', { user: '99', device: 3, server: 'lid' }],
    ['1-2@g.us', { user: '1-2', device: 0, server: 'g.us' }],
    ['491511234567@c.us', { user: '491511234567', device: 0, server: 's.whatsapp.net' }],
  ])('%s has its parts', (text, parts) => {
    expect(parseJid(text)).toEqual(parts);
  });

  it.each(['', '@lid', 'someone', 'a b@lid', '1:x@lid'])('%j is none', (text) => {
    expect(parseJid(text)).toBeUndefined();
  });

  it('lose their device and nothing else', () => {
    expect([withoutDevice('9:3@lid'), withoutDevice('9@lid'), withoutDevice('status@broadcast')]).toEqual([
      '9@lid',
      '9@lid',
      'status@broadcast',
    ]);
    expect([isLid('9:3@lid'), isLid('9@s.whatsapp.net')]).toEqual([true, false]);
  });

  it.each([
    ['+49 151 23456789', '4915123456789'],
    ['+55 (11) 98765-4321', '5511987654321'],
    ['+52.1.55.1234.5678', '5215512345678'],
    ['491511234567', '491511234567'],
    ['0151 2345678', undefined],
    ['+0 151', undefined],
    ['12', undefined],
    ['+49151234567890123', undefined],
    ['my friend', undefined],
    ['9131000000015194@lid', undefined],
  ])('phone number %j is %s', (text, digits) => {
    expect(parsePhoneNumber(text)).toBe(digits);
  });
});

describe('backoff', () => {
  it('stays between half of its ceiling and its ceiling, and the ceiling doubles up to the cap', () => {
    const rule = fc.record({
      firstMs: fc.integer({ min: 1, max: 60_000 }),
      capMs: fc.integer({ min: 60_000, max: 600_000 }),
    });

    fc.assert(
      fc.property(rule, fc.nat(1_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (backoff, attempt, jitter) => {
        const ceiling = Math.min(backoff.capMs, backoff.firstMs * 2 ** Math.min(attempt, 30));
        const delay = backoffMs(backoff, attempt, jitter);

        expect(delay).toBeGreaterThanOrEqual(Math.floor(ceiling / 2));
        expect(delay).toBeLessThanOrEqual(ceiling);
      }),
    );
  });
});

describe('deadline', () => {
  it('gives a result that comes in time, and an error that comes in time', async () => {
    await expect(withDeadline('work', 1_000, async () => 7)).resolves.toBe(7);
    await expect(withDeadline('work', 1_000, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  it('gives up work that never ends, says which and when, and aborts it', async () => {
    let signal: AbortSignal | undefined;
    const work = withDeadline('reading the store', 20, (given) => {
      signal = given;
      return new Promise<never>(() => undefined);
    });

    await expect(work).rejects.toThrow('reading the store did not finish within 20 ms');
    await expect(work).rejects.toBeInstanceOf(TimeoutError);
    expect(signal?.aborted).toBe(true);
  });

  it('lets a sleep end at once when it is aborted', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);

    controller.abort();

    await expect(sleeping).resolves.toBeUndefined();
  });
});

describe('secret', () => {
  it('says [secret] in every form but reveal', () => {
    const secret = new Secret('hunter2');

    expect([String(secret), JSON.stringify({ secret }), inspect({ secret })].join()).not.toContain('hunter2');
    expect(String(secret)).toBe('[secret]');
    expect(secret.reveal()).toBe('hunter2');
  });
});

describe('error catalogue', () => {
  it.each(Object.entries(errorRules))('%s has a stable name, a fitting status and a sentence', (code, rule) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(rule.httpStatus).toBeGreaterThanOrEqual(400);
    expect(rule.sentence).toMatch(/^[A-Z].{20,}\.$/);
    expect(rule.retry === 'later' || rule.httpStatus < 500).toBe(true);
  });
});
