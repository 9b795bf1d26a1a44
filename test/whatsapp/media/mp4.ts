import type { Inside } from './insideShape.ts';

/** A box of an MP4: its name, and where its content begins and ends. */
interface Box {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Reads the index of an MP4, as far as it stands at the beginning: how long the film is, and how large its pictures are. */
export function readMp4(head: Buffer): Omit<Inside, 'format'> {
  const top = boxesOf(head, 0, head.length);
  const names = top.map(({ name }) => name);
  const [index, data] = [names.indexOf('moov'), names.indexOf('mdat')];
  const moov = top[index];
  const order = index === -1 && data === -1 ? {} : { indexFirst: index !== -1 && (data === -1 || index < data) };
  if (moov === undefined) return order;
  const inside = boxesOf(head, moov.from, moov.to);
  const header = inside.find(({ name }) => name === 'mvhd');
  const areas = inside
    .filter(({ name }) => name === 'trak')
    .flatMap(({ from, to }) => boxesOf(head, from, to))
    .filter(({ name }) => name === 'tkhd')
    // The last eight bytes are width and height, each with 16 bits after the point.
    .map(({ to }) => ({ width: head.readUInt32BE(to - 8) >>> 16, height: head.readUInt32BE(to - 4) >>> 16 }))
    .filter(({ width }) => width > 0);
  return { ...order, ...areas[0], ...(header === undefined ? {} : secondsOf(head, header)) };
}

function secondsOf(head: Buffer, { from }: Box): Pick<Inside, 'seconds'> {
  const isLong = head.readUInt8(from) === 1;
  const scale = head.readUInt32BE(from + (isLong ? 20 : 12));
  const duration = isLong ? Number(head.readBigUInt64BE(from + 24)) : head.readUInt32BE(from + 16);
  return scale === 0 ? {} : { seconds: duration / scale };
}

/** The boxes between two places, the last one as far as there is something of it. */
function boxesOf(head: Buffer, from: number, to: number): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to;) {
    const short = head.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= to;
    const size = isLong ? Number(head.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    const start = at + (isLong ? 16 : 8);
    if (size < start - at) break;
    boxes.push({ name: head.toString('latin1', at + 4, at + 8), from: start, to: Math.min(at + size, to) });
    at += size;
  }
  return boxes;
}
