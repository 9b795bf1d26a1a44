import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { factBounds, isWellFormed } from '../../../shared/event/facts/factBounds.ts';
import { messageFact } from '../../../shared/event/facts/messageFact.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { bookkeeping, messageFields, wrappers } from '../../../shared/wire/messageFields.ts';
import { makeSafe, sizeOf } from '../../../worker/facts/makeSafe.ts';
import { toMessageFacts } from '../../../worker/socket/wire/messageFacts.ts';
import { field, numberField } from '../../shared/wire/golden.ts';

const NOW = Date.UTC(2026, 10, 1);
const BEN = '4915100000002@s.whatsapp.net';
const me = { phoneJid: '4915100000001@s.whatsapp.net', lid: undefined };
const stanza = { tag: 'message', attrs: { id: 'ID' as StanzaId, from: BEN, t: `${NOW / 1_000}` } };

/** Texts as strangers write them: short, long, in JSON, and such that grow when they are written as JSON. */
const words = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    '\u0001'.repeat(70_000),
    '😀'.repeat(40_000),
    '"'.repeat(5_000),
    '{"id":"1","sections":[{"rows":[null]}]}',
  ),
);
const number = fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(2 ** 31, 2 ** 40, 2 ** 53, 2 ** 63));
/** Fields of a message that may mean something, in any order and number. */
const { fields } = fc.letrec<{ readonly fields: Buffer }>((tie) => ({
  fields: fc
    .array(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.tuple(fc.integer({ min: 1, max: 32 }), words).map(([at, text]) => field(at, text)),
        fc.tuple(fc.integer({ min: 1, max: 32 }), number).map(([at, value]) => numberField(at, value)),
        fc
          .tuple(fc.integer({ min: 1, max: 32 }), fc.uint8Array({ maxLength: 40 }))
          .map(([at, bytes]) => field(at, bytes)),
        fc.tuple(fc.integer({ min: 1, max: 32 }), tie('fields')).map(([at, inner]) => field(at, inner)),
      ),
      { maxLength: 6 },
    )
    .map((all) => Buffer.concat(all)),
}));
const kinds = Object.keys(messageFields)
  .map(Number)
  .filter((at) => bookkeeping[at] === undefined && !wrappers.has(at));
const wrapped = (path: readonly number[], bytes: Buffer): Buffer =>
  path.reduceRight((inner, at) => field(at, field(wrappers.get(at)?.inner ?? 1, inner)), bytes);

/** Some of them in short, in a test; many, in a proof. */
export function itIsOneSafeFactEach(runs: number): void {
  it(`is one fact, which is safe or says that it is too large, and passes the schema: ${runs} times`, () => {
    const message = fc
      .tuple(fc.constantFrom(...kinds), fc.array(fc.constantFrom(...wrappers.keys()), { maxLength: 2 }), fields)
      .map(([at, path, bytes]) => wrapped(path, field(at, bytes)));

    fc.assert(
      fc.property(message, (bytes) => {
        const facts = toMessageFacts(stanza, { outcome: 'unpadded', bytes }, me);
        // A `protocolMessage` may be bookkeeping between devices.
        expect(facts.length).toBeLessThanOrEqual(1);
        const safe = facts.map(({ fact }) => makeSafe(fact, NOW));
        const told = safe.flatMap((each) => (each.outcome === 'set_aside' ? [] : [each.fact]));
        expect(told.length).toBe(facts.length);
        for (const fact of told) {
          expect(messageFact.schema.safeParse(fact).success).toBe(true);
          expect(isWellFormed(fact)).toBe(true);
          expect(sizeOf(fact)).toBeLessThanOrEqual(factBounds.bodyBytes);
          expect(makeSafe(fact, NOW)).toEqual({ outcome: 'safe', fact });
        }
      }),
      { numRuns: runs },
    );
  }, 300_000);
}
