/** Opus packets as bytes (RFC 6716, section 3): read and joined without a codec. */

/** What the first byte of a packet says. */
export interface PacketHead {
  /** Mode, band and length of a frame, 0 to 31. */
  readonly config: number;
  readonly isStereo: boolean;
  /** How frames are packed: 0 one, 1 two of a size, 2 two, 3 any number. */
  readonly code: number;
  readonly frameMs: number;
}

const SILK_MS = [10, 20, 40, 60] as const;
const HYBRID_MS = [10, 20] as const;
const CELT_MS = [2.5, 5, 10, 20] as const;

/** Reads the first byte of a packet. */
export function headOf(toc: number): PacketHead {
  const config = toc >> 3;
  const frameMs = config < 12 ? SILK_MS[config & 3] : config < 16 ? HYBRID_MS[config & 1] : CELT_MS[config & 3];
  return { config, isStereo: (toc & 4) !== 0, code: toc & 3, frameMs: frameMs ?? 20 };
}

/** Whether frames of this sort hold no more than 8 kHz of sound, which is all that 16,000 samples a second can. */
export function isWidebandAtMost(config: number): boolean {
  return config < 12 || (config >= 16 && config < 24);
}

/** The most sound of one packet, in milliseconds. Source: RFC 6716, section 3.4, requirement 5. */
const MOST_MS = 120;

/** The frames of a packet; undefined when it is malformed. A frame may be empty. */
export function framesOf(packet: Uint8Array): readonly Uint8Array[] | undefined {
  const [toc] = packet;
  if (toc === undefined) return undefined;
  const { code, frameMs } = headOf(toc);
  if (code === 0) return [packet.subarray(1)];
  if (code === 1) return (packet.length - 1) % 2 === 0 ? equalParts(packet.subarray(1), 2) : undefined;
  if (code === 2) return sizedParts(packet.subarray(1), 2);
  const count = (packet[1] ?? 0) & 0x3f;
  if (count === 0 || count * frameMs > MOST_MS) return undefined;
  const body = withoutPadding(packet);
  if (body === undefined) return undefined;
  if (((packet[1] ?? 0) & 0x80) !== 0) return sizedParts(body, count);
  return body.length % count === 0 ? equalParts(body, count) : undefined;
}

/** Packs frames into one packet of code 3, each with a size of its own. All are of one sort, which the first byte of any of them tells. */
export function joinFrames(toc: number, frames: readonly Uint8Array[]): Uint8Array {
  const sizes = frames.slice(0, -1).flatMap(({ length }) => sizeBytes(length));
  return Buffer.concat([Buffer.from([toc | 3, 0x80 | frames.length, ...sizes]), ...frames]);
}

function withoutPadding(packet: Uint8Array): Uint8Array | undefined {
  if (((packet[1] ?? 0) & 0x40) === 0) return packet.subarray(2);
  let padding = 0;
  for (let place = 2; place < packet.length; place += 1) {
    const byte = packet[place] ?? 0;
    padding += byte === 255 ? 254 : byte;
    if (byte !== 255) {
      const end = packet.length - padding;
      return end < place + 1 ? undefined : packet.subarray(place + 1, end);
    }
  }
  return undefined;
}

function equalParts(body: Uint8Array, count: number): readonly Uint8Array[] {
  const size = body.length / count;
  return Array.from({ length: count }, (_, place) => body.subarray(place * size, (place + 1) * size));
}

/** Parts of which all but the last one have their size in front, one after the other. */
function sizedParts(body: Uint8Array, count: number): readonly Uint8Array[] | undefined {
  const sizes: number[] = [];
  let place = 0;
  for (let part = 1; part < count; part += 1) {
    const first = body[place];
    const second = body[place + 1];
    if (first === undefined || (first >= 252 && second === undefined)) return undefined;
    sizes.push(first < 252 ? first : first + 4 * (second ?? 0));
    place += first < 252 ? 1 : 2;
  }
  const parts: Uint8Array[] = [];
  for (const size of sizes) {
    if (place + size > body.length) return undefined;
    parts.push(body.subarray(place, place + size));
    place += size;
  }
  return [...parts, body.subarray(place)];
}

function sizeBytes(length: number): readonly number[] {
  if (length < 252) return [length];
  const first = 252 + (length & 3);
  return [first, (length - first) >> 2];
}
