/**
 * The small picture that a message carries of its file, which a stranger wrote. Only a JPEG passes, and of that only what draws it: its tables, its frame
 * and its scans, in that order. Everything else (places, names, comments, a second file behind it) is left out, so what we give out is a picture and
 * nothing else. Source of the segments: ITU-T T.81, annex B.
 */

/** The largest one that is kept, in bytes. WhatsApp's own have two to six thousand. */
export const THUMBNAIL_BYTES = 12_288;
/** The longest edge, in pixels: more is no small picture, and a few bytes may claim any size. */
const MOST_PIXELS = 1_024;

const [PREFIX, SOI, EOI, SOS] = [0xff, 0xd8, 0xd9, 0xda];
/** Frames that all browsers draw: baseline, extended and progressive, with Huffman codes. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** Tables of numbers, of codes, and of restarts. */
const TABLES: ReadonlySet<number> = new Set([0xdb, 0xc4, 0xdd]);
/** What says how colors are written, of which the first bytes are kept: without it some pictures have wrong ones. */
const ADOBE = 0xee;
const ADOBE_BYTES = 14;

/** The picture without all that is none; undefined where the bytes are no small JPEG. The function is pure. */
export function toThumbnail(given: Uint8Array | undefined): Uint8Array | undefined {
  if (given === undefined || given.length > THUMBNAIL_BYTES || given[0] !== PREFIX || given[1] !== SOI)
    return undefined;
  const kept: Uint8Array[] = [given.subarray(0, 2)];
  let [hasFrame, hasScan, at] = [false, false, 2];
  while (at + 1 < given.length) {
    const marker = given[at + 1] ?? 0;
    if (given[at] !== PREFIX) return undefined;
    if (marker === PREFIX) {
      // Bytes that fill up stand before a marker.
      at += 1;
      continue;
    }
    if (marker === EOI) return hasScan ? joined([...kept, given.subarray(at, at + 2)]) : undefined;
    const end = at + 2 + lengthAt(given, at + 2);
    if (end > given.length || end < at + 4) return undefined;
    const segment = given.subarray(at, end);
    if (FRAMES.has(marker)) {
      if (hasFrame || !isSmall(segment)) return undefined;
      hasFrame = true;
      kept.push(segment);
    } else if (TABLES.has(marker) || isAdobe(marker, segment)) kept.push(segment);
    else if (marker === SOS) {
      if (!hasFrame) return undefined;
      hasScan = true;
      at = scanEnd(given, end);
      kept.push(segment, given.subarray(end, at));
      continue;
    } else if (!isPassedOver(marker)) return undefined;
    at = end;
  }
  return undefined;
}

/** Remarks and what programs add. All other markers are of pictures that browsers do not draw. */
function isPassedOver(marker: number): boolean {
  return (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
}

function isAdobe(marker: number, segment: Uint8Array): boolean {
  return (
    marker === ADOBE &&
    segment.length === ADOBE_BYTES + 2 &&
    Buffer.from(segment.subarray(4, 9)).toString('latin1') === 'Adobe'
  );
}

/** Whether a frame has an area, and no edge that is too long. */
function isSmall(frame: Uint8Array): boolean {
  const [height, width] = [lengthAt(frame, 5), lengthAt(frame, 7)];
  return height > 0 && width > 0 && height <= MOST_PIXELS && width <= MOST_PIXELS;
}

/** Where the bytes of a scan end: at the next marker that is neither a restart nor an escaped byte. */
function scanEnd(given: Uint8Array, from: number): number {
  for (let at = from; at + 1 < given.length; at += 1) {
    const next = given[at + 1] ?? 0;
    if (given[at] === PREFIX && next !== 0 && (next < 0xd0 || next > 0xd7)) return at;
  }
  return given.length;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
