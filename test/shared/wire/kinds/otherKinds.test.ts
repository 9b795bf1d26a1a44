import { describe, expect, it } from 'vitest';
import type { Understood } from '../../../../shared/wire/understoodKind.ts';
import { understoodKinds } from '../../../../shared/wire/understoodKinds.ts';
import { numbersIn, toldOf } from '../golden.ts';
import { fileMessages } from './fileMessages.ts';
import { choices, offers } from './interactiveMessages.ts';
import { meetings, talk, trade } from './otherMessages.ts';

describe('what is bought and paid', () => {
  it.each(trade)('is told, and nothing is done: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });
});

describe('what people meet for', () => {
  it.each(meetings)('is told: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });
});

describe('what is said about something else', () => {
  it.each(talk)('is told with what it is about: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });
});

describe('the messages of these tests', () => {
  const all = [...fileMessages, ...offers, ...choices, ...trade, ...meetings, ...talk];
  const shown = new Set(all.map(([, message]) => toldOf(message)?.content.type));
  const numbers = new Set(all.flatMap(([, message]) => numbersIn(message)));
  const kinds: readonly (readonly [string, Understood<unknown>])[] = Object.entries(understoodKinds);

  it.each(kinds.filter(([type]) => shown.has(type as never)))(
    'have every field of the kind: %s',
    (_type, { fields }) => {
      expect(fields.filter((number) => !numbers.has(number))).toEqual([]);
    },
  );

  it('have most kinds', () => {
    expect(shown.size).toBeGreaterThan(28);
  });
});
