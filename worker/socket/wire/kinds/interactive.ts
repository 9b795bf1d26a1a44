import type { AskedOf } from '../../../../shared/content/content.ts';
import { toNumberedText, toPollParts } from '../../../../shared/content/interactiveFallback.ts';
import type { Spoken } from '../spokenKind.ts';
import { toPollMessage } from './poll.ts';
import { text } from './text.ts';

/** WhatsApp shows no buttons and no lists from a linked device. What was accepted said how it is sent instead. */
export const interactive = {
  toWire: (asked, context) => {
    if (asked.fallback !== 'poll') return text.toWire({ body: toNumberedText(asked) }, context);
    const { name, options } = toPollParts(asked);
    return toPollMessage({ name, options: [...options] }, context.contextInfo);
  },
  // One that was received has another form.
  toQuoted: (asked) => (asked.fallback === undefined ? undefined : { conversation: toNumberedText(asked) }),
} as const satisfies Spoken<AskedOf<'interactive'>>;
