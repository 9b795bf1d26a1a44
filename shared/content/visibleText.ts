import { z } from 'zod';

/** Something that a reader sees: no space, and no mark that only steers how the text around it is written. */
const VISIBLE = /[^\s\p{Z}\p{Cc}\p{Cf}]/u;

/**
 * A text of which a reader sees something. Phones show an empty line for one of spaces or of invisible marks alone, such as
 * those that turn the direction of writing.
 * @param most in characters
 */
export function visibleText(most: number): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text === '' || VISIBLE.test(text), { error: 'must have something that can be seen' });
}
