import { z } from 'zod';

/** A whole or decimal number, as clients of the Cloud API write degrees in a text. */
const NUMBER = /^-?\d{1,3}(\.\d{1,20})?$/;

/**
 * Degrees of latitude or longitude: a number, or a text that is one, as the Cloud API takes both.
 * @param most the greatest number to either side of zero
 */
export function degrees(most: 90 | 180): z.ZodType<number> {
  const error = `must be a number from -${most} to ${most}`;
  const number = z.number({ error }).min(-most, { error }).max(most, { error });
  return z.union([number, z.string().regex(NUMBER).transform(Number).pipe(number)], { error });
}
