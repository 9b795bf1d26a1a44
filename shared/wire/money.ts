import { integer, shape, text, type Read } from './shape.ts';

/** An amount of the protocol: `Money`. */
export const moneyShape = shape({ value: integer(1), offset: integer(2), currency: text(3) });

/** The parts of a thousand in which older fields write amounts. */
const THOUSANDTHS = 1_000;

export function thousandths(
  value: number | undefined,
  currency: string | undefined,
): Read<typeof moneyShape> | undefined {
  if (value === undefined) return undefined;
  return { value, offset: THOUSANDTHS, ...(currency === undefined ? {} : { currency }) };
}
