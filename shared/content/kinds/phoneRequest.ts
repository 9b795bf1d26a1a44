import { z } from 'zod';
import type { ContentKind } from '../contentKind.ts';

const shown = z.object({});

export const phoneRequest = {
  description: 'Somebody whose number is hidden is asked for it.',
  example: {},
  shown,
  out: { asked: z.strictObject({}) },
  in: { bound: () => ({}) },
} as const satisfies ContentKind<z.infer<typeof shown>>;
