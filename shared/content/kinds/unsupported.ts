import { z } from 'zod';
import { boundCount, boundWord, contentBounds } from '../contentBounds.ts';
import type { ContentKind } from '../contentKind.ts';

const shown = z.object({
  kind: z.string().meta({
    description:
      "WhatsApp's name of the kind; `field_<n>` where it has no known name, `malformed` for nonsense, `too_large` for what cannot be kept.",
    example: 'placeholder',
  }),
  fields: z
    .array(z.number().int())
    .optional()
    .meta({ description: 'Numbers of the fields that are set, where they have no known name.' }),
  bytes: z.number().int().optional().meta({ description: 'Size of the message, where it could not be read.' }),
});

export const unsupported = {
  description: 'Something that has no form here yet. Nothing that somebody wrote is dropped.',
  cloud: true,
  example: { kind: 'placeholder' },
  shown,
  in: {
    bound: ({ kind, fields, bytes }) => ({
      kind: boundWord(kind),
      ...(fields === undefined ? {} : { fields: fields.filter(isFieldNumber).slice(0, contentBounds.fields) }),
      ...(bytes === undefined ? {} : { bytes: boundCount(bytes) }),
    }),
  },
} as const satisfies ContentKind<z.infer<typeof shown>>;

function isFieldNumber(number: number): boolean {
  return Number.isInteger(number) && number > 0 && number <= contentBounds.fieldNumber;
}
