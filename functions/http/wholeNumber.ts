import { z } from 'zod';

/**
 * A whole number in a query, written in digits alone. JavaScript would take `1e1`, `0x10` and a blank for numbers, too, and what a caller
 * wrote by mistake would count as something else.
 * @param least and most the bounds, both allowed
 */
export function wholeNumber(least: number, most: number) {
  return z.preprocess(readDigits, z.number().int().min(least).max(most));
}

/** The number that digits stand for; anything else stays, and is refused as no number. */
function readDigits(text: unknown): unknown {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text;
}
