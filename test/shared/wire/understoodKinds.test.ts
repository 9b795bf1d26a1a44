import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bookkeeping, messageFields, PROTOCOL, wrappers } from '../../../shared/wire/messageFields.ts';
import type { Understood } from '../../../shared/wire/understoodKind.ts';
import { understoodKinds } from '../../../shared/wire/understoodKinds.ts';

const understood = Object.entries(understoodKinds as Readonly<Record<string, Understood<unknown>>>).map(
  ([type, row]) => ({ type, ...row }),
);

describe('every kind that is received', () => {
  it.each(understood)('comes in fields that have a name, and in none that says nothing: $type', ({ fields }) => {
    expect(fields.length).toBeGreaterThan(0);
    for (const number of fields) {
      expect(messageFields[number]).toBeDefined();
      expect(bookkeeping[number]).toBeUndefined();
      expect(wrappers.has(number)).toBe(false);
    }
  });

  it.each(understood)('says what it is about without throwing: $type', ({ fields, original }) => {
    const parts = fc
      .array(fc.tuple(fc.constantFrom(...fields), fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1 })))
      .map((entries) => new Map(entries));

    fc.assert(fc.property(parts, (each) => void original?.(each, {})));
  });

  it('comes in fields of its own, but for messages between devices, whose type tells them apart', () => {
    const all = understood.flatMap(({ fields }) => fields).filter((number) => number !== PROTOCOL);

    expect(new Set(all).size).toBe(all.length);
  });

  it.each(understood)('is read from whatever a stranger writes, and does not throw: $type', ({ fields, fromWire }) => {
    const parts = fc
      .array(
        fc.tuple(
          fc.constantFrom(...fields),
          fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 3 }),
        ),
      )
      .map((entries) => new Map(entries));

    fc.assert(
      fc.property(parts, (each) => void fromWire(each, {})),
      { numRuns: 500 },
    );
  });
});
