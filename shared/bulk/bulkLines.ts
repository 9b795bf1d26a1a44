import { deflateRaw, inflateRawSync } from 'node:zlib';
import { promisify } from 'node:util';
import type { SettledRequest } from '../message/settleRequest.ts';

/** A line as it is kept until it becomes a message: all that its row is made of. */
export interface BulkLine extends SettledRequest {
  readonly callbackData?: string;
}

/** Lines that are kept in one item: the number of the first, and all of them as compressed JSON. */
export interface PackedLines {
  readonly firstLine: number;
  readonly bytes: Uint8Array;
}

/** The lines of one item, and their characters of JSON: with the least luck in compressing, an item has still room (400 KB). */
const PACK_LINES = 100;
const PACK_UNITS = 128 * 1_024;

const deflate = promisify(deflateRaw);

/**
 * The most characters of JSON of all lines together. The lines themselves have 16 MB at most, and each is kept with what it answers
 * or forwards, which may be as long as whoever wrote that liked.
 */
export const MOST_KEPT_UNITS = 20_000_000;

/** Packs lines in their order, as far as there is room for all. A line alone may be longer than a pack. */
export async function packLines(
  lines: readonly BulkLine[],
): Promise<readonly PackedLines[] | { readonly noRoomFrom: number }> {
  const packs: PackedLines[] = [];
  let texts: string[] = [];
  let units = 0;
  let room = MOST_KEPT_UNITS;
  const close = async (end: number): Promise<void> => {
    const firstLine = end - texts.length;
    packs.push({ firstLine, bytes: await deflate(Buffer.from(`[${texts.join(',')}]`)) });
    [texts, units] = [[], 0];
  };
  for (const [line, one] of lines.entries()) {
    const text = JSON.stringify(one);
    room -= text.length;
    if (room < 0) return { noRoomFrom: line };
    if (texts.length === PACK_LINES || (texts.length > 0 && units + text.length > PACK_UNITS)) await close(line);
    texts.push(text);
    units += text.length;
  }
  if (texts.length > 0) await close(lines.length);
  return packs;
}

export function unpackLines(bytes: Uint8Array): readonly BulkLine[] {
  return JSON.parse(inflateRawSync(bytes).toString()) as BulkLine[];
}
