import { crc32, inflateRawSync } from 'node:zlib';
import { ConversionError } from './conversionError.ts';

/** A file in an archive, as it was packed. */
export interface ZippedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What an archive may have, whatever it says of itself. */
export interface ZipLimits {
  readonly files: number;
  /** The size of each file, unpacked. */
  readonly bytes: number;
  /** The size of all of them together, unpacked. */
  readonly allBytes: number;
}

/** The records of an archive by their signatures, with their lengths before names. Source: APPNOTE.TXT of PKWARE, 4.3. */
const LOCAL = { signature: 0x04_03_4b_50, bytes: 30 } as const;
const ENTRY = { signature: 0x02_01_4b_50, bytes: 46 } as const;
const END = { signature: 0x06_05_4b_50, bytes: 22 } as const;
const [STORED, DEFLATED] = [0, 8] as const;
const MOST_REMARK_BYTES = 65_535;
const VERSION = 20;
/** The flag of what is sealed with a password. */
const SEALED = 1;

/**
 * Reads the files of an archive by its directory, folders left out. What is sealed, split, or packed in a way that is not usual, is broken. What a file says
 * of its size is not believed: unpacking ends at the bound. Throws {@link ConversionError}.
 */
export function readZip(archive: Buffer, limits: ZipLimits): readonly ZippedFile[] {
  const end = endOf(archive);
  const count = archive.readUInt16LE(end + 10);
  if (count > limits.files) throw new ConversionError('wrong_count', `${count} files`);
  const found: ZippedFile[] = [];
  let [at, left] = [archive.readUInt32LE(end + 16), limits.allBytes];
  for (let index = 0; index < count; index += 1) {
    check(archive, at, ENTRY);
    const [names, extra, remark] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const name = archive.toString('utf8', at + ENTRY.bytes, at + ENTRY.bytes + names);
    if (!name.endsWith('/')) {
      const bytes = unpack(archive, at, Math.min(limits.bytes, left));
      left -= bytes.length;
      found.push({ name, bytes });
    }
    at += ENTRY.bytes + names + extra + remark;
  }
  return found;
}

/** The place of the record at the end, behind which only a remark may stand. */
function endOf(archive: Buffer): number {
  for (
    let at = archive.length - END.bytes;
    at >= Math.max(0, archive.length - END.bytes - MOST_REMARK_BYTES);
    at -= 1
  ) {
    if (archive.readUInt32LE(at) === END.signature) return at;
  }
  throw new ConversionError('broken', 'an archive without an end');
}

function check(
  archive: Buffer,
  at: number,
  { signature, bytes }: { readonly signature: number; readonly bytes: number },
) {
  if (at + bytes > archive.length || archive.readUInt32LE(at) !== signature) {
    throw new ConversionError('broken', 'the directory of the archive leads nowhere');
  }
}

function unpack(archive: Buffer, entry: number, mostBytes: number): Buffer {
  const [flags, method] = [archive.readUInt16LE(entry + 8), archive.readUInt16LE(entry + 10)];
  const [sum, packed] = [archive.readUInt32LE(entry + 16), archive.readUInt32LE(entry + 20)];
  const local = archive.readUInt32LE(entry + 42);
  check(archive, local, LOCAL);
  const from = local + LOCAL.bytes + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  if ((flags & SEALED) !== 0 || from + packed > archive.length) {
    throw new ConversionError('broken', 'a file of the archive is sealed, or not all there');
  }
  const given = archive.subarray(from, from + packed);
  const bytes = method === STORED ? given : method === DEFLATED ? inflate(given, mostBytes) : undefined;
  if (bytes === undefined || crc32(bytes) !== sum)
    throw new ConversionError('broken', 'a file of the archive is no such');
  if (bytes.length > mostBytes) throw new ConversionError('too_large', `more than ${mostBytes} bytes unpacked`);
  return bytes;
}

function inflate(given: Buffer, mostBytes: number): Buffer {
  try {
    return inflateRawSync(given, { maxOutputLength: mostBytes + 1 });
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new ConversionError(isLarge ? 'too_large' : 'broken', 'a file of the archive cannot be unpacked');
  }
}

/** Makes an archive of files as they are. The same files make the same bytes: it has no times. */
export function writeZip(files: readonly ZippedFile[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const called = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(called.length, 22);
    const head = Buffer.concat([signed(LOCAL.signature), common, called]);
    const entry = Buffer.concat([
      signed(ENTRY.signature),
      number16(VERSION),
      common,
      Buffer.alloc(10),
      number32(at),
      called,
    ]);
    bodies.push(head, bytes);
    directory.push(entry);
    at += head.length + bytes.length;
  }
  const entries = Buffer.concat(directory);
  const count = number16(files.length);
  const end = Buffer.concat([
    signed(END.signature),
    Buffer.alloc(4),
    count,
    count,
    number32(entries.length),
    number32(at),
    Buffer.alloc(2),
  ]);
  return Buffer.concat([...bodies, entries, end]);
}

const signed = (signature: number): Buffer => number32(signature);

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
