import { z } from 'zod';
import { eventRow, toDraft } from './eventRow.ts';
import { commonFields } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const amount = (description: string) => z.number().int().min(0).meta({ description });

export const historyCountsFields = {
  chats: amount('Chats that were done.'),
  stored: amount('Messages that are kept now.'),
  known: amount('Messages that were here before.'),
  acts: amount('Reactions, votes, edits and deletions, which are not taken over.'),
  system: amount('What WhatsApp itself notes in a chat, and statuses of others.'),
  unreadable: amount('Messages without an id, a chat or a time that can be, or larger than any message.'),
} as const;

const told = {
  type: z.string().meta({ description: 'The type of the history, such as `recent`.', example: 'recent' }),
  chunk: z.number().int().meta({ description: 'The number of the part, as the phone counts.' }),
  progress: z.number().int().min(0).max(100).meta({ description: 'How far the phone has come, in percent.' }),
  counts: z.object(historyCountsFields),
  error: z.object({ code: z.string(), sentence: z.string() }).optional().meta({
    description: 'Why the part never can be taken in.',
  }),
} as const;
const whole = {
  type: told.type,
  parts: z.number().int(),
  failed: z.number().int().meta({ description: 'Parts that never can be taken in.' }),
  counts: told.counts,
} as const;

const schema = z.object({
  ...commonFields,
  kind: z.literal('history'),
  ...told,
  /** Present where all parts of the type that the phone has told of have ended. */
  whole: z.object({ parts: whole.parts, failed: whole.failed }).optional(),
});

/** A part of a history is taken in, or never can be, or all parts of its type are: their rows say so before this is published. */
export type HistoryFact = z.infer<typeof schema>;

const counts = { chats: 120, stored: 9_812, known: 204, acts: 88, system: 31, unreadable: 0 } as const;

const historyProgress = eventRow({
  type: 'history.progress',
  data: z.object(told).meta({ id: 'HistoryProgressData' }),
  description: 'A part of the history of an account is taken in, or never can be. Its messages are no events.',
  example: { type: 'recent', chunk: 3, progress: 60, counts },
});
const historyDone = eventRow({
  type: 'history.done',
  data: z.object(whole).meta({ id: 'HistoryDoneData' }),
  description: 'All that the phone has sent of the history of an account, of one type, is taken in.',
  example: { type: 'recent', parts: 5, failed: 0, counts: { ...counts, chats: 500, stored: 48_211 } },
});

export const historyFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ type, chunk, progress, counts: counted, error, whole: all, atMs }, { origin }) => ({
    plan: 'stored',
    draft:
      all === undefined
        ? toDraft(historyProgress, origin, atMs, {
            type,
            chunk,
            progress,
            counts: counted,
            ...(error === undefined ? {} : { error }),
          })
        : toDraft(historyDone, origin, atMs, { type, ...all, counts: counted }),
  }),
  events: [historyProgress, historyDone],
});

/** The key of what became of a part. */
export function historyPartKey(noticeId: string): string {
  return `history:${noticeId}`;
}

/** The key of the end of all parts of a type that the phone has told of. */
export function historyWholeKey(noticeIds: readonly string[]): string {
  return `history_done:${digest(...noticeIds.toSorted())}`;
}
