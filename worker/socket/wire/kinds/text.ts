import type { AskedOf } from '../../../../shared/content/content.ts';
import type { Spoken } from '../spokenKind.ts';

export const text = {
  // There is no preview: for one, this worker would fetch an address of the tenant's choosing.
  toWire: ({ body }) => ({ message: { extendedTextMessage: { text: body } } }),
} as const satisfies Spoken<AskedOf<'text'>>;
