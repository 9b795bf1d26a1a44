import type { TenantId } from '../kernel/id.ts';
import type { FileToSend } from './fileToSend.ts';
import type { PreparedFile } from './preparedFile.ts';
import type { SentUse } from './sentUse.ts';
import { isFresh, type UploadedFile } from './uploadedFile.ts';
import type { UploadFault } from './uploadFaults.ts';

/** What is uploaded once: the bytes of a file of a tenant, as what they are sent, whatever the number of messages. */
export interface UploadName {
  readonly tenantId: TenantId;
  /** SHA-256 of the file as the tenant has it, in base64; its id where nobody has read it to its end. */
  readonly file: string;
  readonly as: SentUse;
  readonly convert: boolean;
  /** Whether it lies there as it is, for channels, where files are not sealed. */
  readonly plain: boolean;
}

/** The name under which a file is uploaded. */
export function uploadNameOf(
  { tenantId, mediaId, sha256 }: Pick<FileToSend, 'tenantId' | 'mediaId' | 'sha256'>,
  { as, convert, plain = false }: Pick<UploadName, 'as' | 'convert'> & { readonly plain?: boolean | undefined },
): UploadName {
  return { tenantId, file: sha256 ?? mediaId, as, convert, plain };
}

/** The key with which a file is sealed, in base64, and when it was made. All tries of one upload have the same. A file of channels leaves it unused. */
interface UploadKey {
  readonly key: string;
  readonly keyAtMs: number;
}

/** What has become of an upload. */
export type UploadState =
  /** Somebody works on it until then; who died holds it no longer. */
  | ({
      readonly state: 'leased';
      readonly leaseId: string;
      readonly leaseUntilMs: number;
      readonly prepared?: PreparedFile | undefined;
    } & UploadKey)
  /** WhatsApp no longer takes the token that it was to be uploaded with: a worker brings another. */
  | ({ readonly state: 'needs_token'; readonly prepared?: PreparedFile | undefined } & UploadKey)
  | { readonly state: 'uploaded'; readonly file: UploadedFile }
  | { readonly state: 'failed'; readonly fault: UploadFault; readonly endedAtMs: number };

/** The row of an upload. */
export type Upload = UploadState & {
  /** Grows with each write; each is made on the condition that nobody else has written. */
  readonly version: number;
  /** How many tokens WhatsApp has not taken. A job with the token of an earlier round changes nothing. */
  readonly round: number;
};

/** The most tokens that are tried one after the other: the next is new, so one more would say the same. */
export const MOST_ROUNDS = 4;
/** How long a failure stands before a message that was accepted later has it tried again, in milliseconds. */
export const FAILURE_STANDS_MS = 60_000;

/**
 * Whether a failure is that of a message: it came after the message could leave, or so shortly before that no job would have tried
 * again.
 */
export function failureStands({ endedAtMs }: { readonly endedAtMs: number }, sinceMs: number): boolean {
  return endedAtMs > sinceMs - FAILURE_STANDS_MS;
}

/** What a job does about an upload: work on it, with what is left of an earlier try; nothing, or come again. */
export type Claim =
  | {
      readonly claim: 'take';
      readonly key: UploadKey | undefined;
      readonly prepared: PreparedFile | undefined;
    }
  | { readonly claim: 'nothing' | 'again' };

/** A job that would work on an upload. */
export interface UploadJob {
  /** The same however often the queue hands it out. */
  readonly jobId: string;
  readonly round: number;
}

/** Decides what a job does about an upload, by its row. The function is pure. */
export function claimOf(row: Upload | undefined, { jobId, round }: UploadJob, nowMs: number): Claim {
  if (row === undefined) return { claim: 'take', key: undefined, prepared: undefined };
  switch (row.state) {
    case 'uploaded':
      return isFresh(row.file, nowMs) ? { claim: 'nothing' } : { claim: 'take', key: undefined, prepared: undefined };
    case 'failed':
      return nowMs - row.endedAtMs < FAILURE_STANDS_MS
        ? { claim: 'nothing' }
        : { claim: 'take', key: undefined, prepared: undefined };
    case 'needs_token':
      return round < row.round
        ? { claim: 'nothing' }
        : { claim: 'take', key: { key: row.key, keyAtMs: row.keyAtMs }, prepared: row.prepared };
    default:
      return row.leaseId === jobId || row.leaseUntilMs <= nowMs
        ? { claim: 'take', key: { key: row.key, keyAtMs: row.keyAtMs }, prepared: row.prepared }
        : { claim: 'again' };
  }
}
