import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factBounds } from '../../../shared/event/facts/factBounds.ts';
import { factSchema, type Fact } from '../../../shared/event/facts/factRows.ts';
import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { toAsciiJson } from '../../../shared/platform/asciiJson.ts';
import { makeSafe, type SafeFact } from '../../../worker/facts/makeSafe.ts';
import { splitFacts } from '../../../worker/facts/factParts.ts';
import { runs } from '../../sample.ts';

const NOW_MS = Date.UTC(2026, 10, 28);
const HALF = '\ud83d';
const text = (body: string, more: Partial<MessageFact> = {}): MessageFact => ({
  kind: 'message',
  key: 'message:1',
  atMs: NOW_MS,
  stanzaId: '3EB0AA' as StanzaId,
  chat: '1@s.whatsapp.net',
  sender: '1@s.whatsapp.net',
  fromMe: false,
  content: { type: 'text', text: { body } },
  ...more,
});
const factOf = (safe: SafeFact): Fact => {
  if (safe.outcome === 'set_aside') throw new Error('nothing is told');
  return safe.fact;
};
const contentOf = (fact: MessageFact) => {
  const safe = factOf(makeSafe(fact, NOW_MS));
  return safe.kind === 'message' ? safe.content : undefined;
};

describe('a text that leaves the worker', () => {
  it.each([
    ['letters', 'a'],
    ['Hindi', 'क'],
    ['emoji', '😀'],
    ['NUL', '\0'],
    ['U+FFFF', '\uffff'],
  ])('is whole up to 65,536 characters, and fits the queue and the store: %s', (_what, character) => {
    const body = character.repeat(factBounds.textCharacters);

    const content = contentOf(text(body));

    expect(content).toEqual({ type: 'text', text: { body } });
  });

  it('is cut where a character ends when it is longer, and says how long it was', () => {
    const body = `a${'😀'.repeat(factBounds.textCharacters)}`;

    const content = contentOf(text(body));

    expect(content).toEqual({
      type: 'text',
      text: { body: `a${'😀'.repeat(factBounds.textCharacters - 1)}`, truncated: true, length: body.length },
    });
  });

  it('has a mark in place of half a character', () => {
    expect(contentOf(text(`a${HALF}b`))).toEqual({ type: 'text', text: { body: 'a\ufffdb' } });
  });
});

describe('what stands around a message', () => {
  it.each([Number.NaN, Infinity, -1, 0, 1e300, NOW_MS * 1_000, NOW_MS + 48 * 3_600_000, 1.5])(
    'takes the time of arrival for a time that can not be: %s',
    (atMs) => {
      expect(factOf(makeSafe(text('a', { atMs }), NOW_MS)).atMs).toBe(NOW_MS);
    },
  );

  it('keeps two long ids apart', () => {
    const long = (end: string) => text('a', { stanzaId: `${'x'.repeat(2_000_000)}${end}` as StanzaId });

    const ids = ['1', '2']
      .map((end) => factOf(makeSafe(long(end), NOW_MS)))
      .map((fact) => 'stanzaId' in fact && fact.stanzaId);

    expect(new Set(ids).size).toBe(2);
  });

  it('gives a message without an id one of ours: it was written all the same', () => {
    expect(factOf(makeSafe(text('a', { stanzaId: '' as StanzaId }), NOW_MS))).toMatchObject({
      stanzaId: 'none~message:1',
    });
  });

  it('sets a receipt without an id aside: it says nothing of any message', () => {
    const receipt: Fact = {
      kind: 'receipt',
      key: 'receipt:1',
      atMs: NOW_MS,
      stanzaId: '' as StanzaId,
      chat: '1@lid',
      recipient: '1@lid',
      state: 'read',
    };

    expect(makeSafe(receipt, NOW_MS)).toMatchObject({ outcome: 'set_aside', refusal: 'malformed' });
  });

  it('names the size of content that the schema does not know', () => {
    const content = { type: 'riddle', riddle: { question: 'x' } } as unknown as MessageFact['content'];

    expect(makeSafe(text('', { content }), NOW_MS)).toMatchObject({
      outcome: 'replaced',
      fact: { content: { type: 'unsupported', unsupported: { kind: 'malformed', bytes: expect.any(Number) } } },
    });
  });
});

/** Whatever a stranger could write: half characters, NUL, noncharacters, emoji, JSON, and texts of up to 2 MB. */
const strange = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(HALF, '\ude00', '\0', '\uffff', '\ufffe', '😀', '"', '\\', '__proto__', '\u2028'),
  }),
  fc
    .tuple(fc.constantFrom('a', 'क', '😀', HALF, '\0', '\uffff'), fc.nat({ max: 1_000_000 }))
    .map(([unit, count]) => unit.repeat(count)),
);
const oddNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NOW_MS, -0, 2 ** 53));
const optional = <Value>(of: fc.Arbitrary<Value>, name: string): fc.Arbitrary<Record<string, Value>> =>
  fc.option(of).map((value): Record<string, Value> => (value === null ? {} : { [name]: value }));
const content = fc.oneof(
  strange.map((body) => ({ type: 'text', text: { body } })),
  fc
    .tuple(strange, fc.array(oddNumber, { maxLength: 100 }), oddNumber)
    .map(([kind, fields, bytes]) => ({ type: 'unsupported', unsupported: { kind, fields, bytes } })),
);
const anyFact = fc
  .tuple(
    fc.constantFrom('message', 'receipt', 'call'),
    fc.tuple(oddNumber, fc.boolean(), fc.constantFrom('delivered', 'read', 'played'), content),
    fc.record({
      key: strange,
      stanzaId: strange,
      chat: strange,
      sender: strange,
      recipient: strange,
      callId: strange,
      caller: strange,
    }),
    fc.tuple(
      ...['chatAlias', 'senderAlias', 'callerAlias', 'recipientAlias', 'group', 'senderName'].map((name) =>
        optional(strange, name),
      ),
    ),
    fc.option(fc.array(strange, { maxLength: 12 }), { nil: undefined }),
  )
  .map(([kind, [atMs, yes, state, what], names, others, flags]) => ({
    kind,
    atMs,
    state,
    fromMe: yes,
    video: yes,
    rejected: !yes,
    content: what,
    ...names,
    key: names.key === '' ? 'k' : names.key,
    ...Object.assign({}, ...others),
    ...(flags === undefined ? {} : { flags, otherKeys: flags }),
  })) as unknown as fc.Arbitrary<Fact>;

describe('any fact', () => {
  it('always leaves as one that ingest takes, that the queue and the store have room for, and in ASCII', () => {
    fc.assert(
      fc.property(anyFact, (fact) => {
        const safe = makeSafe(fact, NOW_MS);
        // A receipt or a call without an id says nothing of anything; a message always does.
        if (safe.outcome === 'set_aside' && fact.kind !== 'message') return;
        const body = toAsciiJson(factOf(safe));
        expect(factSchema.safeParse(JSON.parse(body)).success).toBe(true);
        expect(/^[\x20-\x7e]*$/.test(body)).toBe(true);
        expect(body.length).toBeLessThanOrEqual(factBounds.bodyBytes);
        expect(Buffer.byteLength(JSON.stringify(factOf(safe)))).toBeLessThanOrEqual(factBounds.eventBytes);
      }),
      { numRuns: runs(10, 100) },
    );
  });

  it('is made safe once: a second time changes nothing', () => {
    fc.assert(
      fc.property(anyFact, (fact) => {
        const once = makeSafe(fact, NOW_MS);
        if (once.outcome === 'set_aside') return;
        expect(makeSafe(once.fact, NOW_MS)).toEqual({ outcome: 'safe', fact: once.fact });
      }),
      { numRuns: runs(8, 50) },
    );
  });

  it('never travels in a part of more than 64 KB as it is escaped, unless it is alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', '😀', '\0'), fc.nat({ max: 9_000 })), { maxLength: 40 }),
        (texts) => {
          const facts = texts.map(([unit, count], place) => text(unit.repeat(count), { key: `message:${place}` }));
          const parts = splitFacts(facts);
          expect(parts.flatMap((part) => part.facts)).toEqual(facts);
          for (const part of parts) {
            expect(part.facts.length === 1 || toAsciiJson(part.facts).length <= 64 * 1_024).toBe(true);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
