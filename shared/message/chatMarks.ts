import { z } from 'zod';
import { LAST_MS } from '../kernel/lastMs.ts';

/** The end of a mute that has none. */
export const FOR_EVER = -1;

/** What the account marks a chat as, for itself alone: the marks that are known, or have changed. */
export const chatMarks = z.object({
  unread: z.boolean().optional(),
  archived: z.boolean().optional(),
  pinned: z.boolean().optional(),
  /** The time up to which the chat is muted; 0 where it is not muted, {@link FOR_EVER} where that has no end. */
  mutedUntilMs: z.number().int().min(FOR_EVER).max(LAST_MS).optional(),
});
export type ChatMarks = z.infer<typeof chatMarks>;

/** The marks of a chat, as events show them and as results of actions do. */
export const shownMarks = {
  unread: z.boolean().meta({ description: 'Whether the chat is marked as unread.' }),
  archived: z.boolean().meta({ description: 'Whether the chat is in the archive.' }),
  pinned: z.boolean().meta({ description: 'Whether the chat is at the top of the list.' }),
  muted: z.boolean().meta({ description: 'Whether the phone is silent about the chat.' }),
  mutedUntil: z.iso.datetime().meta({ description: 'Beside `muted`, where that ends by itself: when.' }),
} as const;

/** The marks that are present, as they are shown. */
export function toShownMarks({ unread, archived, pinned, mutedUntilMs }: ChatMarks) {
  return {
    ...(unread === undefined ? {} : { unread }),
    ...(archived === undefined ? {} : { archived }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(mutedUntilMs === undefined ? {} : { muted: mutedUntilMs !== 0 }),
    ...(mutedUntilMs === undefined || mutedUntilMs <= 0 ? {} : { mutedUntil: new Date(mutedUntilMs).toISOString() }),
  };
}
