import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Converter } from '../../../../functions/media/prepare/converter.ts';
import { findFfmpeg } from '../../../../functions/media/prepare/ffmpeg.ts';
import { prepareFile, type Prepared, type PrepareRequest } from '../../../../functions/media/prepare/prepareFile.ts';
import type { TenantId } from '../../../../shared/kernel/id.ts';
import type { PreparedFile } from '../../../../shared/media/preparedFile.ts';
import type { SentUse } from '../../../../shared/media/sentUse.ts';
import { MemoryObjects } from '../../../shared/media/memoryObjects.ts';

const root = resolve(import.meta.dirname, '../../../..');
export const CONVERTER_PROGRAM = join(root, 'functions/media/prepare/converter/main.ts');
/** What this machine has. */
export const ffmpegHere = findFfmpeg(process.env['PATH'] ?? '');
export const TENANT = 'ten_01K3C5F7XQ8M2V4N6B9D0E1G3H' as TenantId;

/** A place where files are prepared: objects in memory, and a folder that is gone after `stop`. */
export class Preparing {
  readonly objects = new MemoryObjects();
  readonly logged: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-preparing-'));
  readonly converter: Converter;
  #files = 0;

  constructor({
    ffmpeg = ffmpegHere,
    program = CONVERTER_PROGRAM,
  }: { ffmpeg?: string | undefined; program?: string } = {}) {
    const log = (message: string): void => void this.logged.push(message);
    this.converter = new Converter({
      program,
      ffmpeg: ffmpeg === 'none' ? undefined : ffmpeg,
      folder: this.folder,
      logger: { warn: log, info: log },
    });
  }

  /** Puts bytes into the store, and prepares them. */
  prepare(
    bytes: Uint8Array,
    as: SentUse,
    given: Partial<PrepareRequest> = {},
    signal = new AbortController().signal,
  ): Promise<Prepared> {
    const objectKey = `${TENANT}/${(this.#files += 1)}`;
    this.objects.kept.set(objectKey, { bytes: Buffer.from(bytes), contentType: '', storedAtMs: 0 });
    return prepareFile(this, { tenantId: TENANT, objectKey, as, convert: true, ...given }, signal);
  }

  /** Prepares bytes that are well. Returns what is said of them, and the bytes that are sent. */
  async made(
    bytes: Uint8Array,
    as: SentUse,
    given: Partial<PrepareRequest> = {},
  ): Promise<PreparedFile & { readonly file: Buffer }> {
    const outcome = await this.prepare(bytes, as, given);
    if ('refused' in outcome) throw new Error(`refused: ${outcome.refused} (${outcome.why})`);
    return { ...outcome.prepared, file: this.bytesOf(outcome.prepared.objectKey) };
  }

  bytesOf(objectKey: string): Buffer {
    const kept = this.objects.kept.get(objectKey);
    if (kept === undefined) throw new Error(`nothing under ${objectKey}`);
    return kept.bytes;
  }

  /** What lies in the folder of conversions. */
  left(): readonly string[] {
    return existsSync(this.folder) ? readdirSync(this.folder) : [];
  }

  stop(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
