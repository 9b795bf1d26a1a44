/** Ogg with one stream of Opus (RFC 3533, RFC 7845): read from bytes that nobody has checked, and written. */

export interface OggOpus {
  readonly channels: number;
  /** Samples at 48 kHz to leave out at the beginning. */
  readonly preSkip: number;
  readonly packets: readonly Uint8Array[];
}

const PAGE_HEAD = 27;
/** Opus counts time in samples at 48 kHz, whatever it was made of. */
const SAMPLES_PER_MS = 48;

/**
 * Reads the packets of the first stream. Pages of other streams and pages whose sum is wrong are left out, and so is what
 * stands between pages. Returns undefined when there is no stream of Opus.
 */
export function readOggOpus(bytes: Uint8Array, mostPackets: number): OggOpus | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const packets: Uint8Array[] = [];
  let serial: number | undefined;
  let begun: Uint8Array[] = [];
  for (let at = view.indexOf('OggS'); at !== -1 && packets.length < mostPackets;) {
    const page = pageAt(view, at);
    if (page === undefined) {
      at = view.indexOf('OggS', at + 1);
      continue;
    }
    serial ??= page.serial;
    if (page.serial === serial) begun = takePackets(page, begun, packets);
    at = view.indexOf('OggS', page.end);
  }
  const head = packets[0];
  if (head === undefined || head.length < 19 || Buffer.from(head.subarray(0, 8)).toString('latin1') !== 'OpusHead') {
    return undefined;
  }
  return {
    channels: head[9] ?? 0,
    preSkip: (head[10] ?? 0) | ((head[11] ?? 0) << 8),
    packets: packets.slice(2).filter(({ length }) => length > 0),
  };
}

interface Page {
  readonly serial: number;
  readonly isContinued: boolean;
  readonly sizes: Uint8Array;
  readonly body: Uint8Array;
  readonly end: number;
}

function pageAt(view: Buffer, at: number): Page | undefined {
  const count = view[at + 26];
  if (count === undefined || at + PAGE_HEAD + count > view.length) return undefined;
  const sizes = view.subarray(at + PAGE_HEAD, at + PAGE_HEAD + count);
  const from = at + PAGE_HEAD + count;
  const end = from + sizes.reduce((sum, size) => sum + size, 0);
  if (end > view.length || crcOf(view.subarray(at, end)) !== view.readUInt32LE(at + 22)) return undefined;
  const isContinued = ((view[at + 5] ?? 0) & 1) !== 0;
  return { serial: view.readUInt32LE(at + 14), isContinued, sizes, body: view.subarray(from, end), end };
}

/** Adds the packets that end on a page. Returns what has begun of the next one. */
function takePackets(page: Page, before: readonly Uint8Array[], packets: Uint8Array[]): Uint8Array[] {
  let parts = page.isContinued ? [...before] : [];
  let [from, size] = [0, 0];
  for (const lace of page.sizes) {
    size += lace;
    if (lace === 255) continue;
    packets.push(Buffer.concat([...parts, page.body.subarray(from, from + size)]));
    parts = [];
    from += size;
    size = 0;
  }
  if (size > 0) parts.push(page.body.subarray(from, from + size));
  return parts;
}

export interface OggContents {
  /** Samples a second of what was encoded: for people, as Opus does not need it. */
  readonly sampleRate: number;
  /** Samples at 48 kHz to leave out at the beginning. */
  readonly preSkip: number;
  readonly packetMs: number;
  /** Samples at 48 kHz that are heard; the rest of the last packet is not. */
  readonly heard: number;
  readonly packets: readonly Uint8Array[];
}

/** The packets of one page: about a second. */
const PAGE_PACKETS = 16;
const SERIAL = 0x484f4c44;
const [FIRST, LAST] = [2, 4];

/** Writes one stream of mono. */
export function writeOggOpus({ sampleRate, preSkip, packetMs, heard, packets }: OggContents): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(1, 9);
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(sampleRate, 12);
  const vendor = Buffer.from('Holdfast');
  const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
  tags.write('OpusTags', 'latin1');
  tags.writeUInt32LE(vendor.length, 8);
  vendor.copy(tags, 12);
  const pages = [toPage([head], 0, 0n, FIRST), toPage([tags], 1, 0n, 0)];
  for (let from = 0; from < packets.length; from += PAGE_PACKETS) {
    const some = packets.slice(from, from + PAGE_PACKETS);
    const isLast = from + PAGE_PACKETS >= packets.length;
    const until = (from + some.length) * packetMs * SAMPLES_PER_MS;
    const granule = isLast ? Math.min(until, preSkip + heard) : until;
    pages.push(toPage(some, pages.length, BigInt(granule), isLast ? LAST : 0));
  }
  return Buffer.concat(pages);
}

function toPage(packets: readonly Uint8Array[], place: number, granule: bigint, flags: number): Buffer {
  const sizes = packets.flatMap(({ length }) => [
    ...Array.from({ length: Math.floor(length / 255) }, () => 255),
    length % 255,
  ]);
  const head = Buffer.alloc(PAGE_HEAD + sizes.length);
  head.write('OggS', 'latin1');
  head.writeUInt8(flags, 5);
  head.writeBigUInt64LE(granule, 6);
  head.writeUInt32LE(SERIAL, 14);
  head.writeUInt32LE(place, 18);
  head.writeUInt8(sizes.length, 26);
  head.set(sizes, PAGE_HEAD);
  const page = Buffer.concat([head, ...packets]);
  page.writeUInt32LE(crcOf(page), 22);
  return page;
}

/** The sum of a page: polynomial 0x04c11db7, from zero, not turned, with the sum itself taken as zero. Source: RFC 3533, section 6. */
function crcOf(page: Uint8Array): number {
  let sum = 0;
  for (const [place, byte] of page.entries()) {
    const counted = place >= 22 && place < 26 ? 0 : byte;
    sum = ((sum << 8) ^ (CRC[((sum >>> 24) ^ counted) & 0xff] ?? 0)) >>> 0;
  }
  return sum;
}
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum & 0x80000000) === 0 ? sum << 1 : (sum << 1) ^ 0x04c11db7;
  return sum >>> 0;
});
