import { z } from 'zod';

/** The field of a request that says which operator asks: one key may serve several people. */
export const authorSchema = z
  .string()
  .regex(/^[\w.@-]{1,64}$/, 'Use 1 to 64 letters, digits, dots, dashes, @ and _.')
  .default('operator')
  .meta({ description: 'Who asks for it, for the record of changes.' });
