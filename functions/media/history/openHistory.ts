import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { createInflate } from 'node:zlib';
import type { HistoryPlace } from '../../../shared/history/historyNotice.ts';
import { FileFaultError, openFile } from '../../../shared/media/sealedFile.ts';
import { SourceError, type FileSource } from '../fileSource.ts';
import { HistoryFaultError } from './historyFault.ts';

/** The most bytes of a history as it lies at WhatsApp, and as it is: a phone with a million messages sends it in parts of some megabytes. */
const MOST_BYTES = { sealed: 256 * 1_024 * 1_024, open: 1_024 * 1_024 * 1_024 } as const;

/** A history whose bytes are checked, which may be read more than once. */
export interface OpenedHistory {
  readonly read: () => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}

/**
 * Opens a history: what lies at WhatsApp is fetched, opened and checked to its last byte before the first is read. Until then it is in a file that has no name any
 * more, so that nothing of it stays when the process dies; memory: one chunk.
 *
 * @param most the bounds in bytes of what lies at WhatsApp and of what it is
 *
 * Throws {@link HistoryFaultError} for what never can be opened, and `SourceError` for a host that gives it at another time.
 */
export async function openHistory(
  source: Pick<FileSource, 'read'>,
  place: HistoryPlace,
  signal: AbortSignal,
  most: { readonly sealed: number; readonly open: number } = MOST_BYTES,
): Promise<OpenedHistory> {
  if ('lost' in place) throw new HistoryFaultError(place.lost);
  if ('inline' in place) {
    const { inline } = place;
    return { read: () => inflated(Readable.from([Buffer.from(inline)]), most.open), close: async () => undefined };
  }
  const file = await openNameless();
  try {
    await store(source, place.file, file, { signal, mostBytes: most.sealed });
  } catch (error) {
    await file.close();
    throw toFault(error);
  }
  return {
    read: () => inflated(file.createReadStream({ start: 0, autoClose: false }), most.open),
    close: () => file.close(),
  };
}

async function store(
  source: Pick<FileSource, 'read'>,
  place: Extract<HistoryPlace, { readonly file: unknown }>['file'],
  file: FileHandle,
  { signal, mostBytes }: { readonly signal: AbortSignal; readonly mostBytes: number },
): Promise<void> {
  const opened = openFile(source.read(place, signal), place, mostBytes, { bytes: 0, sha256: '' });
  for await (const chunk of opened) await file.write(chunk);
}

/** A file that only this process can reach. */
async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'history-'));
  try {
    return await open(join(folder, 'sealed'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* inflated(source: Readable, mostBytes: number): AsyncGenerator<Uint8Array> {
  const inflate = createInflate();
  // The reader of the inflated bytes hears of a failure.
  const fed = pipeline(source, inflate).catch(() => undefined);
  let bytes = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw new HistoryFaultError('too_large');
      yield chunk;
    }
  } catch (error) {
    if (error instanceof HistoryFaultError) throw error;
    throw new HistoryFaultError('malformed', { cause: error });
  } finally {
    inflate.destroy();
    await fed;
  }
}

function toFault(error: unknown): unknown {
  if (error instanceof FileFaultError) {
    return new HistoryFaultError(error.fault === 'too_large' ? 'too_large' : 'broken', { cause: error });
  }
  if (error instanceof SourceError && error.fault !== 'passing')
    return new HistoryFaultError(error.fault, { cause: error });
  return error;
}
