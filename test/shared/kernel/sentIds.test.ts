import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeId, timeOfId, type ConnectionId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeSentIds, messageIdOf } from '../../../shared/kernel/sentIds.ts';

const connectionId = makeId('con', Date.now(), systemRandom);
const aTime = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2088, 0, 1) });
const aChance = fc.uint8Array({ minLength: 4, maxLength: 4 });
const randomOf = (chance: Uint8Array) => ({ ...systemRandom, bytes: () => Buffer.from(chance) });

describe('the ids of a message that we send', () => {
  it('lead from the stanza to the message, at every time and chance', () => {
    fc.assert(
      fc.property(aTime, aChance, (nowMs, chance) => {
        const { messageId, stanzaId } = makeSentIds(connectionId, nowMs, randomOf(chance));
        expect(stanzaId).toMatch(/^3EB0[0-9A-F]{18}$/);
        expect(messageIdOf(connectionId, stanzaId)).toBe(messageId);
        expect(timeOfId(messageId)).toBe(nowMs);
      }),
    );
  });

  it('differ from connection to connection for the same stanza', () => {
    const { stanzaId, messageId } = makeSentIds(connectionId, Date.now(), systemRandom);
    expect(messageIdOf(makeId('con', Date.now(), systemRandom), stanzaId)).not.toBe(messageId);
  });

  it('are new ones for each millisecond and each chance, and stanza ids of neighbours have nothing in common', () => {
    const nowMs = Date.UTC(2026, 10, 29);
    const ids = Array.from({ length: 2_000 }, (_, index) =>
      makeSentIds(connectionId, nowMs + (index >> 1), randomOf(Buffer.from([0, 0, 0, (index & 1) << 1]))),
    );
    expect(new Set(ids.map(({ stanzaId }) => stanzaId)).size).toBe(2_000);
    expect(new Set(ids.map(({ messageId }) => messageId)).size).toBe(2_000);
    for (let place = 4; place < 22; place++) {
      const digits = new Set(ids.map(({ stanzaId }) => stanzaId[place]));
      expect(digits.size, `digit ${place}`).toBe(16);
    }
  });

  it('are none for a stanza id of another form', () => {
    const wrong = [
      '',
      '3EB0',
      '3eb0aaaaaaaaaaaaaaaaaa',
      `3EB0${'A'.repeat(17)}`,
      `3EB0${'A'.repeat(19)}`,
      `AC${'0'.repeat(30)}`,
      'x'.repeat(5_000),
    ];
    expect(wrong.map((stanzaId) => messageIdOf(connectionId, stanzaId))).toEqual(wrong.map(() => undefined));
    expect(messageIdOf('con_x' as ConnectionId, '3EB0FFFFFFFFFFFFFFFFFF')).toMatch(/^msg_/);
  });
});
