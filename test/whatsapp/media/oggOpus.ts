import type { Inside } from './insideShape.ts';

/**
 * Reads Opus in Ogg (RFC 3533, 6716, 7845) without decoding it: what its head says, how long it is, and of which packets it
 * is made. WhatsApp's own voice notes have 16 kHz in the head, one channel, and three frames of 20 ms in each packet (code 3).
 */
export function readOggOpus(head: Buffer, isWhole: boolean): Omit<Inside, 'format'> {
  const { packets, samples, intact } = packetsOf(head, isWhole);
  const [first, , ...sound] = packets;
  if (first?.toString('latin1', 0, 8) !== 'OpusHead') return {};
  const skipped = first.readUInt16LE(10);
  const read = sound.filter(({ length }) => length > 0).map(readPacket);
  return {
    channels: first.readUInt8(9),
    rate: first.readUInt32LE(12),
    intact,
    packetMs: distinct(read.map(({ frames, frameMs }) => frames * frameMs)),
    framesInPacket: distinct(read.map(({ frames }) => frames)),
    packetCodes: distinct(read.map(({ code }) => code)),
    ...(isWhole && samples !== undefined ? { seconds: Math.max(0, samples - skipped) / 48_000 } : {}),
  };
}

const HEADER_BYTES = 27;

/** The packets of a stream, and the place of its last sample, which counts 48,000 a second. */
function packetsOf(head: Buffer, isWhole: boolean) {
  const packets: Buffer[] = [];
  let open: Buffer[] = [];
  let samples: number | undefined;
  let intact = true;
  for (let at = 0; at + HEADER_BYTES <= head.length && head.toString('latin1', at, at + 4) === 'OggS';) {
    const page = at;
    const granule = head.readBigUInt64LE(at + 6);
    const lengths = head.subarray(at + HEADER_BYTES, at + HEADER_BYTES + head.readUInt8(at + 26));
    at += HEADER_BYTES + lengths.length;
    for (const length of lengths) {
      open.push(head.subarray(at, at + length));
      at += length;
      // A packet goes on while its pieces are as long as they can be.
      if (length === 255) continue;
      packets.push(Buffer.concat(open));
      open = [];
    }
    // The page at which the beginning of a longer file ends is cut.
    if (isWhole || at <= head.length) intact &&= isIntact(head.subarray(page, at));
    // A page on which no packet ends has all bits set.
    if (granule < 1n << 62n) samples = Number(granule);
  }
  return { packets, samples, intact };
}

/** The checksum of a page is made with its own four bytes as zeros: polynomial 04C11DB7, highest bit first, nothing inverted. */
function isIntact(page: Buffer): boolean {
  let sum = 0;
  for (const [place, byte] of page.entries()) {
    const isOfSum = place >= 22 && place < 26;
    sum = ((sum << 8) ^ (SUMS[(sum >>> 24) ^ (isOfSum ? 0 : byte)] ?? 0)) >>> 0;
  }
  return page.length >= HEADER_BYTES && sum === page.readUInt32LE(22);
}

const SUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum >>> 0;
});

/** Frames of 10 to 60 ms (SILK), 10 or 20 (hybrid), 2.5 to 20 (CELT), as the first five bits of a packet choose. */
const SILK_MS = [10, 20, 40, 60];
const HYBRID_MS = [10, 20];
const CELT_MS = [2.5, 5, 10, 20];
const FRAME_MS = [SILK_MS, SILK_MS, SILK_MS, HYBRID_MS, HYBRID_MS, CELT_MS, CELT_MS, CELT_MS, CELT_MS].flat();

function readPacket(packet: Buffer) {
  const first = packet[0] ?? 0;
  const code = first & 3;
  const frames = code === 3 ? (packet[1] ?? 0) & 0x3f : code === 0 ? 1 : 2;
  return { code, frames, frameMs: FRAME_MS[first >> 3] ?? 0 };
}

function distinct(values: readonly number[]): readonly number[] {
  return [...new Set(values)].toSorted((left, right) => left - right);
}
