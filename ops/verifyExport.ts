import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { MANIFEST } from '../shared/archive/exportFiles.ts';
import { manifestSchema, type Manifest } from '../shared/archive/manifest.ts';
import type { ExportSource } from './exportSource.ts';
import { Failed } from './sentence.ts';

/** The most bytes of lines of one part: parts are closed at 8 MB, and one answer of the table more is in them at most. */
const PART_BYTES = 128 * 1_024 * 1_024;
const unpack = promisify(gunzip);

/** Reads the manifest of an export. Throws Failed where it is not the one that was promised, or none. */
export async function readManifest(source: ExportSource): Promise<Manifest> {
  const bytes = await source.read(MANIFEST);
  if (source.manifestSha256 !== undefined && sha256Of(bytes) !== source.manifestSha256) {
    throw new Failed(
      'The manifest is not the one that was written: its hash is another one. Nothing was brought back.',
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Failed('The manifest is no JSON. Nothing was brought back.', { cause });
  }
  const read = manifestSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Failed(`The manifest is none of an export: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`);
}

/** Reads the lines of a part. Throws Failed where it is not the one that the manifest names. */
export async function readPart(source: ExportSource, part: Manifest['parts'][number]): Promise<readonly string[]> {
  const bytes = await source.read(part.name);
  if (bytes.length !== part.bytes || sha256Of(bytes) !== part.sha256) {
    throw new Failed(`${part.name} is not the part that the manifest names: its bytes are others.`);
  }
  const text = (await unpack(bytes, { maxOutputLength: PART_BYTES })).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length !== part.lines)
    throw new Failed(`${part.name} has ${lines.length} lines, and should have ${part.lines}.`);
  return lines;
}

/** Looks through all parts, one after the other, before anything is done with them. Throws Failed at the first that is wrong. */
export async function verifyParts(source: ExportSource, { parts }: Manifest): Promise<void> {
  const places = parts.map(({ number }) => number);
  if (places.some((number, place) => number !== place + 1)) throw new Failed('The manifest leaves parts out.');
  for (const part of parts) await readPart(source, part);
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
