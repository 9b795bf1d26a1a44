import { describe, expect, it } from 'vitest';
import { rowOf } from '../../../shared/action/actionKinds.ts';
import { ActionPace } from '../../../worker/actions/actionPace.ts';

function aPace() {
  const time = { nowMs: 1_000 };
  const random = { unit: () => 1, bytes: () => new Uint8Array() };
  return { time, pace: new ActionPace({ clock: { monotonicMs: () => time.nowMs }, random }) };
}

describe('the pace of actions', () => {
  it('lets a kind have its burst at once, and then so many a second', () => {
    const { time, pace } = aPace();
    const { burst, perSecond } = rowOf('chat_typing').budget;
    for (let place = 0; place < burst; place += 1) {
      expect(pace.waitMs('chat_typing')).toBe(0);
      pace.take('chat_typing');
    }

    const waitMs = pace.waitMs('chat_typing');
    time.nowMs += waitMs;

    expect(waitMs).toBe(Math.ceil(1_000 / perSecond));
    expect(pace.waitMs('chat_typing')).toBe(0);
    expect(pace.waitMs('contacts_check')).toBe(0);
  });

  it('lets a kind rest that WhatsApp limits, longer each time, up to a minute, and no other', () => {
    const { time, pace } = aPace();
    const rests = Array.from({ length: 6 }, () => {
      pace.fail('contacts_check');
      const waitMs = pace.waitMs('contacts_check');
      time.nowMs += waitMs;
      return waitMs;
    });

    expect(rests).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(pace.waitMs('contacts_check')).toBe(0);
    expect(pace.waitMs('chat_typing')).toBe(0);
  });

  it('begins anew after an answer, and with a new login', () => {
    const { pace } = aPace();
    pace.fail('contacts_check');
    pace.fail('contacts_check');
    pace.pass('contacts_check');
    pace.fail('contacts_check');
    const afterAnswer = pace.waitMs('contacts_check');
    pace.reset();

    expect(afterAnswer).toBe(5_000);
    expect(pace.waitMs('contacts_check')).toBe(0);
  });
});
