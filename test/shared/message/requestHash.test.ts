import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import { hashOfRequest } from '../../../shared/message/requestHash.ts';

const TO = '4915100000002@s.whatsapp.net';
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Bodies of any kind, also of those that nobody has thought of. */
const { message: anyMessage } = fc.letrec<{ any: Json; object: { readonly [name: string]: Json }; message: unknown }>(
  (tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(tie('any'), { maxLength: 3 }),
      tie('object') as fc.Arbitrary<Json>,
    ),
    object: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 5 }).filter((name) => name !== '__proto__'),
      tie('any'),
      {
        minKeys: 1,
        maxKeys: 4,
      },
    ),
    message: fc.record({ to: fc.constant('+49 151 00000002'), type: fc.constant('poll'), poll: tie('object') }),
  }),
);

const hash = (message: unknown, to = TO): string => hashOfRequest(message as OutboundMessage, to);

/** The same value with the fields of each object in the other order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}

/** Every value that differs from this one in one place. */
function* changesOf(value: unknown): Generator {
  if (Array.isArray(value)) {
    yield [...(value as unknown[]), 'more'];
    for (const [place, inner] of value.entries()) for (const other of changesOf(inner)) yield value.with(place, other);
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, more: 'more' };
    for (const [name, inner] of Object.entries(value))
      for (const other of changesOf(inner)) yield { ...value, [name]: other };
  } else {
    yield `${String(value)}.`;
  }
}

describe('the hash of a request', () => {
  it('is the same however its fields are ordered', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(hash(reversed(message))).toBe(hash(message));
      }),
    );
  });

  it('is another for every change of what is said, wherever it is', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { poll } = message as { readonly poll: unknown };
        for (const other of changesOf(poll))
          expect(hash({ ...(message as object), poll: other })).not.toBe(hash(message));
      }),
    );
  });

  it('is another for another kind, another address, and anything else that is asked for', () => {
    const message = { to: '+49 151 00000002', type: 'text', text: { body: 'hello' } };
    const others = [
      hash({ ...message, type: 'caption', caption: message.text, text: undefined }),
      hash(message, '4915100000003@s.whatsapp.net'),
      hash({ ...message, recipient_type: 'group' }),
      hash({ ...message, context: { message_id: 'msg_1' } }),
    ];

    expect(new Set([hash(message), ...others]).size).toBe(others.length + 1);
  });

  it('is the same when one says what is meant anyway, or spells the address in another way', () => {
    const message = { to: '+49 151 00000002', type: 'text', text: { body: 'hello' } };

    expect(hash({ ...message, messaging_product: 'whatsapp', recipient_type: 'individual' })).toBe(hash(message));
    expect(hash({ ...message, to: TO })).toBe(hash(message));
  });
});
