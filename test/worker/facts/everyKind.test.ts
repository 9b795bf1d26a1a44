import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundContent, inboundContentSchema } from '../../../shared/content/content.ts';
import { understoodKinds } from '../../../shared/wire/understoodKinds.ts';
import { itIsOneSafeFactEach } from './everyKindCases.ts';

/** Names that stand in bodies, so that what is drawn is no stranger to them. */
const bodyNames = [
  'action',
  'amount',
  'body',
  'buttons',
  'caption',
  'cards',
  'header',
  'id',
  'options',
  'participants',
  'parameters',
  'reply',
  'rows',
  'sections',
  'stickers',
  'text',
  'title',
  'type',
  'value',
] as const;

/** The kinds whose bounds follow from their fields; a text, the first of all, has its own. */
const declared = Object.keys(understoodKinds).filter((type) => type !== 'text');

describe('every kind in every wrapper, whatever a stranger puts into it', () => {
  itIsOneSafeFactEach(600);
});

describe('the body of every kind', () => {
  it.each(declared)('is bounded, whatever it is, and a second time changes nothing: %s', (type) => {
    const anything = fc.oneof(
      fc.anything({ maxDepth: 4 }),
      fc.object({ maxDepth: 5, key: fc.constantFrom(...bodyNames) }),
    );

    expect(() =>
      fc.assert(
        fc.property(anything, (body) => {
          const bound = boundContent({ type, [type]: body } as never);
          expect(inboundContentSchema.safeParse(bound).success).toBe(true);
          expect(boundContent(bound)).toEqual(bound);
        }),
        { numRuns: 100 },
      ),
    ).not.toThrow();
  });
});
