import { z } from 'zod';
import type { ContentKind } from '../contentKind.ts';

const shown = z.object({});

export const phoneShared = {
  description: 'Its writer shows their number in this chat, where it was hidden.',
  example: {},
  shown,
  out: { asked: z.strictObject({}) },
  in: { bound: () => ({}) },
} as const satisfies ContentKind<z.infer<typeof shown>>;
