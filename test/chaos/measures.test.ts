import { describe, expect, it } from 'vitest';
import { measure, type Observed, type Told } from './measures.ts';

const FAULT = 100_000;
const OVER = 110_000;

const nothing: Observed = {
  faultAtMs: FAULT,
  overAtMs: OVER,
  sends: [],
  writes: [],
  shown: [],
  told: [],
  spans: {},
  conflicts: {},
  counts: { overlap: 0, resent: 0, undecryptable: 0, retryRequests: 0 },
  deadLetters: 0,
  attempts: [],
};
const measured = (seen: Partial<Observed>) => measure({ ...nothing, ...seen });
const sent = (text: string, acceptedAtMs = FAULT, account = 'a') => ({ account, text, acceptedAtMs });
const shown = (text: string, atMs = FAULT, account = 'a') => ({ account, text, atMs });
const written = (text: string, account = 'a') => ({ account, text });
const told = (text: string, more: Partial<Told> = {}): Told => ({ account: 'a', text, isDelivered: true, ...more });

describe('measures of messages', () => {
  it('are all zero when everything arrives once and in order', () => {
    const texts = ['1', '2', '3'];

    const result = measured({
      sends: texts.map((text) => sent(text)),
      shown: texts.map((text) => shown(text)),
      writes: texts.map((text) => written(text)),
      told: texts.map((text) => told(text)),
    });

    expect(result).toMatchObject({ accepted: 3, lostOut: 0, duplicates: 0, outOfOrderOut: 0 });
    expect(result).toMatchObject({ written: 3, lostIn: 0, repeatsIn: 0, outOfOrderIn: 0 });
  });

  it('count as lost what was accepted and is not shown, and not what was never accepted', () => {
    const result = measured({ sends: [sent('1'), sent('2')], shown: [shown('2'), shown('the answer was lost')] });

    expect(result.lostOut).toBe(1);
  });

  it('count as lost what the tenant has in the log only, or nowhere', () => {
    const result = measured({
      writes: [written('1'), written('2'), written('3')],
      told: [told('1'), told('2', { isDelivered: false })],
    });

    expect(result.lostIn).toBe(2);
  });

  it('count as repeated a text under a second id, and not as late', () => {
    const result = measured({
      sends: [sent('1'), sent('2')],
      shown: [shown('1'), shown('2'), shown('1')],
      writes: [written('1')],
      told: [told('1'), told('1')],
    });

    expect(result).toMatchObject({ duplicates: 1, repeatsIn: 1, outOfOrderOut: 0, outOfOrderIn: 0, lostIn: 0 });
  });

  it('count as late each one that comes after a later one of the same account', () => {
    const result = measured({
      sends: ['1', '2', '3', '4'].map((text) => sent(text)),
      shown: ['1', '4', '2', '3'].map((text) => shown(text)),
    });

    expect(result.outOfOrderOut).toBe(2);
  });

  it('know no order between accounts', () => {
    const result = measured({
      writes: [written('1', 'a'), written('2', 'b'), written('3', 'a')],
      told: [told('2', { account: 'b' }), told('1'), told('3')],
    });

    expect(result.outOfOrderIn).toBe(0);
  });
});

describe('measures of connections', () => {
  it('leave out connections that stayed open, and logins before the fault', () => {
    const result = measured({ spans: { a: [{ openedAt: 1, closedAt: 2 }, { openedAt: 3 }] } });

    expect(result).toMatchObject({
      reconnected: 0,
      closed: 0,
      loginsPerSecond: 0,
      gapMs: { max: 0 },
      openMs: { max: 0 },
    });
  });

  it('count attempts to reach WhatsApp in the fullest second', () => {
    const result = measured({ attempts: [0, 500, 999, 1_000, 2_500].map((atMs) => FAULT + atMs) });

    expect(result.opensPerSecond).toBe(3);
  });

  it('take the gap from the loss of the socket and the time to open from the fault', () => {
    const result = measured({ spans: { a: [{ openedAt: 1, closedAt: FAULT + 500 }, { openedAt: FAULT + 2_000 }] } });

    expect(result).toMatchObject({ reconnected: 1, gapMs: { p50: 1_500, max: 1_500 }, openMs: { p50: 2_000 } });
  });

  it('see no gap where a login replaced a live socket, which closes later', () => {
    const result = measured({
      spans: { a: [{ openedAt: 1, closedAt: FAULT + 30_000 }, { openedAt: FAULT + 2_000 }] },
      conflicts: { a: [5, FAULT + 2_000], b: [FAULT + 1, FAULT + 2] },
    });

    expect(result).toMatchObject({ gapMs: { max: 0 }, replaced: 3, replacedPerConnection: 2 });
  });

  it('take the last login of a connection that was moved twice, and both of its gaps', () => {
    const result = measured({
      spans: {
        a: [
          { openedAt: 1, closedAt: FAULT },
          { openedAt: FAULT + 1_000, closedAt: FAULT + 5_000 },
          { openedAt: FAULT + 8_000 },
        ],
      },
    });

    expect(result).toMatchObject({ reconnected: 1, openMs: { max: 8_000 }, gapMs: { p50: 1_000, max: 3_000 } });
  });

  it('count who is not open at the end', () => {
    const result = measured({ spans: { a: [{ openedAt: 1, closedAt: FAULT }], b: [{ openedAt: 1 }] } });

    expect(result.closed).toBe(1);
  });

  it('take the busiest second, wherever it begins', () => {
    const times = [0, 900, 1_100, 1_200, 1_899, 1_900, 5_000].map((ms) => FAULT + ms);

    const result = measured({ spans: Object.fromEntries(times.map((openedAt, index) => [index, [{ openedAt }]])) });

    expect(result.loginsPerSecond).toBe(4);
  });

  it('take the way back from the end of the fault, for the last one', () => {
    const result = measured({ spans: { a: [{ openedAt: OVER - 1 }], b: [{ openedAt: OVER + 700 }] } });

    expect(result.backMs).toBe(700);
  });

  it('name percentiles by nearest rank', () => {
    const spans = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [index, [{ openedAt: FAULT + index + 1 }]]),
    );

    expect(measured({ spans }).openMs).toEqual({ p50: 100, p99: 198, max: 200 });
  });
});

describe('first send of a connection that is open again', () => {
  const spans = { a: [{ openedAt: 1, closedAt: FAULT }, { openedAt: FAULT + 5_000 }] };

  it('counts from the login when the message was waiting for it', () => {
    const result = measured({
      spans,
      sends: [sent('1', FAULT - 10), sent('2', FAULT + 100)],
      shown: [shown('1', FAULT), shown('2', FAULT + 6_000)],
    });

    expect(result).toMatchObject({ firstSendMs: { max: 1_000 }, unsent: 0 });
  });

  it('counts from the acceptance when that came later, and never below zero', () => {
    const late = measured({ spans, sends: [sent('1', FAULT + 7_000)], shown: [shown('1', FAULT + 7_300)] });
    const early = measured({ spans, sends: [sent('1', FAULT + 7_310)], shown: [shown('1', FAULT + 7_300)] });

    expect([late.firstSendMs.max, early.firstSendMs.max]).toEqual([300, 0]);
  });

  it('says of how many connections it is not known', () => {
    const result = measured({ spans, shown: [shown('1', FAULT), shown('2', FAULT + 9_000, 'b')] });

    expect(result.unsent).toBe(1);
  });
});
