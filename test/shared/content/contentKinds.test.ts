import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundContent,
  contentSchema,
  inboundContentSchema,
  type InboundContent,
} from '../../../shared/content/content.ts';
import type { AnyContentKind } from '../../../shared/content/contentKind.ts';
import { contentKinds } from '../../../shared/content/contentKinds.ts';
import { onlyPossible, outboundMessageSchema, splitMessage } from '../../../shared/message/outboundMessage.ts';

const rows: readonly (readonly [string, AnyContentKind])[] = Object.entries(contentKinds);
/** What is made of another request, such as the beginning of an album, is not asked for in its own form. */
const outbound = rows.flatMap(([type, { out, example }]) =>
  out === undefined || out.made === true ? [] : [[type, { example: out.example ?? example }] as const],
);
const inbound = rows.filter(([, row]) => row.in !== undefined);
const contentOf = (type: string, body: unknown) => ({ type, [type]: body });

describe('every kind of content', () => {
  it('has a name that can stand in a body, and says what it is', () => {
    expect(rows.length).toBeGreaterThan(1);
    for (const [type, { description }] of rows) {
      expect(type).toMatch(/^[a-z][a-z_]*$/);
      expect(['type', 'to', 'context']).not.toContain(type);
      expect(description).toMatch(/\.$/);
    }
  });

  it.each(rows)('shows its example as it is: %s', (type, { example }) => {
    const content = contentOf(type, example);

    expect(contentSchema.parse(content)).toEqual(content);
  });

  it.each(outbound)('is sent as its example: %s', (type, { example }) => {
    const content = contentOf(type, example);

    const message = onlyPossible(outboundMessageSchema.parse({ to: '+4915100000002', ...content }));

    expect(splitMessage(message)).toEqual({ envelope: { to: '+4915100000002' }, content });
  });

  it.each(outbound)('is sent with no field that nobody knows: %s', (type, { example }) => {
    const wrong = { to: '+4915100000002', ...contentOf(type, { ...(example as object), no_such_field: 1 }) };

    expect(outboundMessageSchema.safeParse(wrong).success).toBe(false);
    expect(
      outboundMessageSchema.safeParse({ to: '+4915100000002', ...contentOf(type, example), no_such_field: 1 }).success,
    ).toBe(false);
  });

  it.each(rows.filter(([, { out }]) => out === undefined))(
    'is not sent where it only arrives: %s',
    (type, { example }) => {
      const request = { to: '+4915100000002', ...contentOf(type, example) };

      expect(() => onlyPossible(outboundMessageSchema.parse(request))).toThrow(/so far|linked device/);
    },
  );

  it.each(inbound)('leaves what is within its bounds as it is: %s', (type, { example }) => {
    const content = contentOf(type, example) as unknown as InboundContent;

    expect(boundContent(content)).toEqual(content);
    expect(inboundContentSchema.parse(content)).toEqual(content);
  });

  it.each(inbound)('bounds whatever a stranger writes, and a second time changes nothing: %s', (type, { example }) => {
    const long = fc.constantFrom('x'.repeat(200_000), '😀'.repeat(70_000), '\ud800', '');
    const anything = fc.oneof(
      long,
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.constant([]),
      fc.constant(undefined),
    );
    const names = Object.keys(example as object);
    const strange = fc.record(Object.fromEntries(names.map((name) => [name, anything])), { requiredKeys: [] });

    fc.assert(
      fc.property(strange, (parts) => {
        const content = contentOf(type, { ...(example as object), ...parts });
        if (!contentSchema.safeParse(content).success) return;
        const once = boundContent(content as unknown as InboundContent);
        expect(JSON.stringify(once).length).toBeLessThan(400_000);
        expect(JSON.stringify(once).isWellFormed()).toBe(true);
        expect(boundContent(once)).toEqual(once);
      }),
      { numRuns: 50 },
    );
  });
});
