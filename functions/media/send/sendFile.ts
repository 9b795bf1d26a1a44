import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { Clock } from '../../../shared/kernel/clock.ts';
import type { Random } from '../../../shared/kernel/random.ts';
import { findToSend } from '../../../shared/media/filesToSend.ts';
import type { FileToSend } from '../../../shared/media/fileToSend.ts';
import type { MediaStore } from '../../../shared/media/mediaStore.ts';
import type { PreparedFile } from '../../../shared/media/preparedFile.ts';
import type { SendJob } from '../../../shared/media/sendJob.ts';
import {
  claimOf,
  MOST_ROUNDS,
  uploadNameOf,
  type Upload,
  type UploadName,
  type UploadState,
} from '../../../shared/media/upload.ts';
import type { UploadFault } from '../../../shared/media/uploadFaults.ts';
import type { UploadStore } from '../../../shared/media/uploadStore.ts';
import { mediaTimes } from '../../../shared/platform/queues.ts';
import { uploadFile, type UploadDependencies } from './uploadFile.ts';

/** A file made into what is sent, or the reason why it never can be. */
export type Prepared = { readonly prepared: PreparedFile } | { readonly refused: UploadFault; readonly why?: string };

export interface SendFileDependencies extends UploadDependencies {
  readonly media: Pick<MediaStore, 'findAny'>;
  readonly uploads: Pick<UploadStore, 'find' | 'write'>;
  /** Makes a file into what is sent. Rejects for what passes, and when the signal aborts. */
  readonly prepare: (file: FileToSend, job: Pick<SendJob, 'as' | 'convert'>, signal: AbortSignal) => Promise<Prepared>;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly random: Pick<Random, 'bytes'>;
}

/** One run of a job. */
export interface JobRun {
  /** The same however often the queue hands the job out. */
  readonly jobId: string;
  /** Whether it is not handed out again by itself. */
  readonly isLast: boolean;
}

/**
 * What a run of a job has come to. `ended`: the upload is over, or a worker has to bring another token; whoever waits should look. `again`: at another time;
 * `soon` where it is somebody else's turn, who is at work.
 */
export type Sent =
  | { readonly sent: 'ended'; readonly outcome: 'uploaded' | 'needs_token' | 'nothing' }
  | { readonly sent: 'ended'; readonly outcome: 'failed'; readonly fault: UploadFault }
  | { readonly sent: 'again'; readonly error: unknown }
  | { readonly sent: 'soon' };

/** The length of the key of a file, in bytes: WhatsApp's own. */
const KEY_BYTES = 32;
/** How long a job holds an upload, in milliseconds: no run of one is longer. */
const LEASE_MS = mediaTimes.timeoutSeconds * 1_000;

/**
 * Brings a file to WhatsApp: prepared, sealed and uploaded once, whatever the number of messages, connections and jobs that want it.
 *
 * - *The function dies here*: the job comes again, and goes on with the key and the prepared file of its row. What was uploaded before the
 *   row said so is uploaded again, as the same bytes.
 * - *Two jobs do it at once*: one has the lease, and the other comes again; the last write is made on the condition that nobody else wrote.
 * - *A host never answers*: the deadline ends it; the next host, or the next try.
 * - *A final no*: is on the row, and the messages that wait fail by it.
 */
export async function sendFile(dependencies: SendFileDependencies, job: SendJob, run: JobRun): Promise<Sent> {
  const { media, uploads, clock, random } = dependencies;
  const file = await findToSend(media, job.tenantId, job.mediaId);
  if (file?.state === 'pending') return { sent: 'soon' };
  // The worker reads the same, and fails the messages.
  if (file?.state !== 'ready') return { sent: 'ended', outcome: 'nothing' };
  const name = uploadNameOf(file, job);
  const row = await uploads.find(name);
  const claim = claimOf(row, { jobId: run.jobId, round: job.round }, clock.nowMs());
  if (claim.claim !== 'take') return claim.claim === 'again' ? { sent: 'soon' } : { sent: 'ended', outcome: 'nothing' };
  const key = claim.key ?? { key: Buffer.from(random.bytes(KEY_BYTES)).toString('base64'), keyAtMs: clock.nowMs() };
  const round = Math.max(row?.round ?? 0, job.round);
  const held = { state: 'leased', leaseId: run.jobId, leaseUntilMs: clock.nowMs() + LEASE_MS, ...key } as const;
  const leased = await uploads.write(name, row, { ...held, prepared: claim.prepared }, round);
  if (leased === 'overtaken') return { sent: 'soon' };
  const work: Work = { name, file, row: leased, key, prepared: claim.prepared };
  try {
    return await withDeadline(
      'bringing a file to WhatsApp',
      deadlines.mediaSend.ms,
      (signal) => bring(dependencies, job, run, work, signal),
      clock,
    );
  } catch (error) {
    if (!run.isLast && error instanceof TimeoutError) return { sent: 'again', error };
    if (!run.isLast) throw error;
    return end(dependencies, work, 'not_uploaded');
  }
}

/** An upload that this run works on. */
interface Work {
  readonly name: UploadName;
  readonly file: FileToSend;
  /** The row as this run wrote it last. */
  row: Upload;
  readonly key: { readonly key: string; readonly keyAtMs: number };
  readonly prepared: PreparedFile | undefined;
}

async function bring(
  dependencies: SendFileDependencies,
  job: SendJob,
  run: JobRun,
  work: Work,
  signal: AbortSignal,
): Promise<Sent> {
  const { name, file, key } = work;
  const made =
    work.prepared === undefined ? await dependencies.prepare(file, job, signal) : { prepared: work.prepared };
  if ('refused' in made) return end(dependencies, work, made.refused);
  const { prepared } = made;
  if (work.prepared === undefined && work.row.state === 'leased') {
    const noted = await dependencies.uploads.write(name, work.row, { ...work.row, prepared }, work.row.round);
    if (noted === 'overtaken') return { sent: 'soon' };
    work.row = noted;
  }
  const { uploaded } = await uploadFile(dependencies, job, prepared, key, signal);
  if (uploaded === 'gone') {
    // What an earlier run prepared may have ended before the file has.
    if (work.prepared === undefined) return end(dependencies, work, 'gone');
    return bring(dependencies, job, run, { ...work, prepared: undefined }, signal);
  }
  if (!('answer' in uploaded)) return over(dependencies, work, { state: 'uploaded', file: uploaded });
  switch (uploaded.answer) {
    case 'token_refused':
      return work.row.round + 1 >= MOST_ROUNDS
        ? end(dependencies, work, 'not_uploaded')
        : over(dependencies, work, { state: 'needs_token', ...key, prepared }, work.row.round + 1);
    case 'refused':
      return end(dependencies, work, 'refused');
    default:
      return run.isLast ? end(dependencies, work, 'not_uploaded') : { sent: 'again', error: uploaded.error };
  }
}

/** Ends an upload that can come to nothing. */
function end(dependencies: SendFileDependencies, work: Work, fault: UploadFault): Promise<Sent> {
  return over(dependencies, work, { state: 'failed', fault, endedAtMs: dependencies.clock.nowMs() });
}

/** Writes down what an upload has come to. */
async function over(
  { uploads }: Pick<SendFileDependencies, 'uploads'>,
  { name, row }: Work,
  state: Exclude<UploadState, { readonly state: 'leased' }>,
  round = 0,
): Promise<Sent> {
  if ((await uploads.write(name, row, state, round)) === 'overtaken') return { sent: 'soon' };
  return state.state === 'failed'
    ? { sent: 'ended', outcome: 'failed', fault: state.fault }
    : { sent: 'ended', outcome: state.state };
}
