import type { ConnectionId, CorrelationId, ErasureId, ExportId, MediaId, TenantId } from '../kernel/id.ts';
import type { JobPlace } from './jobPlace.ts';

/** What every job of the archive function has: its row says how far it is, and when it is to be looked at next. */
interface JobCommon {
  readonly tenantId: TenantId;
  /** When it is to be looked at, in milliseconds since 1970: at once while it is under way. */
  readonly dueAtMs: number;
  /** Grows by one with each write. */
  readonly version: number;
}

/** What a job that goes through the rows of a tenant has. */
interface WalkingJob extends JobCommon {
  readonly correlationId: CorrelationId;
  readonly createdAtMs: number;
  readonly place: JobPlace;
  /** All addresses of the chat or the person that are known; undefined where it is about nobody alone. */
  readonly names?: readonly string[] | undefined;
  /** The first connection that it came to: that of its event. */
  readonly toldOn?: ConnectionId | undefined;
  /** When it last came further. */
  readonly progressAtMs: number;
  readonly endedAtMs?: number | undefined;
  readonly isTold?: true | undefined;
}

/** The kinds of lines of an export. */
export const lineKinds = [
  'connection',
  'message',
  'version',
  'receipts',
  'chat',
  'contact',
  'number',
  'file',
  'history',
] as const;
export type LineKind = (typeof lineKinds)[number];
export type LineCounts = Readonly<Partial<Record<LineKind, number>>>;

/** What is to be exported; everything of the tenant where nothing is left out. */
export interface ExportAsked {
  readonly connectionId?: ConnectionId | undefined;
  /** A chat, or a person with whom the account need not have one, as the request wrote it. */
  readonly chat?: string | undefined;
  readonly contact?: string | undefined;
  /** Messages from this time on, and before that one, in milliseconds since 1970. */
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Whether the files of messages are copied. */
  readonly media: boolean;
}

export const exportStates = ['running', 'done', 'failed', 'deleting'] as const;
export type ExportState = (typeof exportStates)[number];

/** Why an export has failed, each with its sentence. */
export const exportFaults = {
  too_large: 'It would have more than 5,000 parts. Ask for one connection, or for a shorter time.',
  not_possible:
    'Something in it could not be read or written for a day. Ask for it again; if it fails again, write to your operator.',
} as const satisfies Record<string, string>;
export type ExportFault = keyof typeof exportFaults;

export interface ExportJob extends WalkingJob {
  readonly kind: 'export';
  readonly jobId: ExportId;
  readonly asked: ExportAsked;
  readonly isScheduled?: true | undefined;
  /** The days for which its files are kept after its end. */
  readonly keptDays: number;
  readonly state: ExportState;
  readonly fault?: ExportFault | undefined;
  readonly counts: LineCounts;
  readonly parts: number;
  /** The bytes of all files that it has. */
  readonly bytes: number;
  /** The hash of its manifest, in hex, once it is done. */
  readonly manifestSha256?: string | undefined;
}

/** What an erasure removes, and what it finds and leaves. */
export const erasedKinds = [
  'messages',
  'versions',
  'receipts',
  'files',
  'chats',
  'contacts',
  'numbers',
  'lookUps',
  'history',
] as const;
export type ErasedKind = (typeof erasedKinds)[number];
export type ErasedCounts = Readonly<Partial<Record<ErasedKind, number>>>;

export interface ErasureJob extends WalkingJob {
  readonly kind: 'erasure';
  readonly jobId: ErasureId;
  readonly names: readonly string[];
  /** The person as the request wrote them; when it is done, with all but the ends left out. */
  readonly contact: string;
  readonly state: 'running' | 'done';
  readonly removed: ErasedCounts;
  /** Messages to the person that have not ended, and stay. */
  readonly unfinished: number;
  /** The connections that it has been through. */
  readonly connections: number;
}

/** How often exports are made by themselves. */
export const scheduleTimes = { day: 86_400_000, week: 7 * 86_400_000 } as const;
export type ScheduleTime = keyof typeof scheduleTimes;

export interface ScheduleJob extends JobCommon {
  readonly kind: 'schedule';
  readonly jobId: 'schedule';
  readonly every: ScheduleTime;
  /** Messages of how many days are exported; all that are kept where it is left out. */
  readonly days?: number | undefined;
  readonly connectionId?: ConnectionId | undefined;
  readonly media: boolean;
  readonly keptDays: number;
  readonly lastExportId?: ExportId | undefined;
}

/** What the deletion of a tenant does, in this order, each with what is still there. */
export const deletionSteps = {
  connections: 'Its connections end, each unlinked at WhatsApp.',
  conversations: 'What is kept of its conversations is removed; twice, with ten minutes between.',
  files: 'Its files are removed.',
  rows: 'Its webhooks, log of events, exports and keys are removed.',
} as const satisfies Record<string, string>;
export type DeletionStep = keyof typeof deletionSteps;

/** The deletion of a tenant. */
export interface DeletionJob extends JobCommon {
  readonly kind: 'deletion';
  readonly jobId: 'deletion';
  readonly correlationId: CorrelationId;
  readonly createdAtMs: number;
  readonly step: DeletionStep;
  /** What of the step is still to be done: connections or files. */
  readonly left?: number | undefined;
  /** The rows of conversations that are removed so far. */
  readonly seen?: number | undefined;
  /** The files that were asked to go last, up to this one. */
  readonly asked?: { readonly atMs: number; readonly last: MediaId } | undefined;
  readonly removed: Readonly<Record<string, number>>;
  readonly progressAtMs: number;
}

export type ArchiveJob = ExportJob | ErasureJob | ScheduleJob | DeletionJob;

/** The longest that the files of an export are kept, in days: the bucket removes what is older. */
export const MOST_KEPT_DAYS = 90;
export const USUAL_KEPT_DAYS = 7;
/** The most exports, and the most erasures, of one tenant that are under way at once, and that are kept. */
export const MOST_UNDER_WAY = 5;
export const MOST_JOBS = 200;
/** The most parts of one export: some 40 GB of lines. */
export const MOST_EXPORT_PARTS = 5_000;
