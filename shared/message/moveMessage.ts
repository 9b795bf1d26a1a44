import { z } from 'zod';
import type { Connection } from '../connection/connection.ts';
import { AppError } from '../kernel/appError.ts';
import type { MessageId } from '../kernel/id.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { earliest, endOfUseMs, problemsOfContent } from './contentTimes.ts';
import type { SentMessage } from './message.ts';
import type { MessageStore } from './messageStore.ts';
import type { ScheduledMessages } from './scheduledMessages.ts';
import { expiresAtField, notBeforeField, problemsOfTimes } from './sendTimes.ts';

/** A change of the times of a scheduled message. A time that is left out stays. */
export const messageChangeSchema = z
  .strictObject({
    not_before: notBeforeField.optional(),
    expires_at: expiresAtField.nullable().optional().meta({ description: 'The new end; `null` takes it away.' }),
  })
  .meta({ id: 'MessageChange', examples: [{ not_before: '2027-01-04T09:30:00Z' }] });
export type MessageChange = z.infer<typeof messageChangeSchema>;

export interface MoveDependencies extends Pick<Surroundings, 'clock'> {
  readonly messages: Pick<MessageStore, 'find'>;
  readonly scheduled: Pick<ScheduledMessages, 'move'>;
}

/** How often a move is tried when another one of the same message is faster. */
const TRIES = 3;

/**
 * Moves a scheduled message to another time. One transaction decides between this caller, others, and the function that
 * queues what is due: a caller that gets an answer can rely on it that the message does not leave earlier. Returns the message
 * as it stands. Throws `message_not_found`, `message_not_movable`, `invalid_request`, `change_conflict`.
 */
export async function moveMessage(
  { messages, scheduled, clock }: MoveDependencies,
  { connectionId, shard }: Connection,
  messageId: MessageId,
  change: MessageChange,
): Promise<SentMessage> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const message = await messages.find(connectionId, messageId);
    if (message === undefined) throw new AppError('message_not_found');
    const state = message.direction === 'out' ? message.state : 'received';
    if (message.direction !== 'out' || message.state !== 'scheduled' || message.notBeforeMs === undefined) {
      const detail = `Only a message that is scheduled can be moved. This one is ${state}.`;
      throw new AppError('message_not_movable', { detail });
    }
    const notBeforeMs = change.not_before ?? message.notBeforeMs;
    const asked = change.expires_at === null ? undefined : (change.expires_at ?? message.expiresAtMs);
    const endMs = endOfUseMs(message.content);
    const times = { notBeforeMs, expiresAtMs: earliest(asked, endMs) };
    // The same change again has its answer, however late it comes.
    if (notBeforeMs === message.notBeforeMs && times.expiresAtMs === message.expiresAtMs) return message;
    const nowMs = clock.nowMs();
    // An end that the content itself brought is its own matter.
    const given = { notBeforeMs, expiresAtMs: asked === endMs ? undefined : asked };
    const fields = [...problemsOfTimes(given, nowMs), ...problemsOfContent(message.content, notBeforeMs, nowMs)];
    if (fields.length > 0) throw new AppError('invalid_request', { fields });
    const from = { ...message, notBeforeMs: message.notBeforeMs };
    if ((await scheduled.move(from, shard, times)) === 'moved') return { ...message, ...times };
  }
  throw new AppError('change_conflict', { retryAfterSeconds: 1 });
}
