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

/** Packs lines in their order. A line alone may be longer than a pack. */
export async function packLines(lines: readonly BulkLine[]): Promise<readonly PackedLines[]> {
  const packs: PackedLines[] = [];
  let texts: string[] = [];
  let units = 0;
  const close = async (end: number): Promise<void> => {
    const firstLine = end - texts.length;
    packs.push({ firstLine, bytes: await deflate(Buffer.from(`[${texts.join(',')}]`)) });
    [texts, units] = [[], 0];
  };
  for (const [line, one] of lines.entries()) {
    const text = JSON.stringify(one);
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
