import type { proto } from '@whiskeysockets/baileys';
import type { NamedInIndex } from './stateKind.ts';

/** The newest message of a chat, as far as it is known. */
export interface NewestMessage extends NamedInIndex {
  readonly atMs: number;
}

/**
 * The part of a chat that a change of it is about: all messages up to the newest one that is known. Without one, all up to the
 * present moment. Source of the form: `newMessageRange` of whatsmeow.
 */
export function toMessageRange(
  newest: NewestMessage | undefined,
  nowMs: number,
): proto.SyncActionValue.ISyncActionMessageRange {
  const timestamp = Math.floor((newest?.atMs ?? nowMs) / 1_000);
  return { lastMessageTimestamp: timestamp, messages: newest === undefined ? [] : [toNamed(newest, timestamp)] };
}

function toNamed({ chat, stanzaId, fromMe, sender }: NewestMessage, timestamp: number) {
  const participant = sender === undefined || sender === chat ? {} : { participant: sender };
  return { key: { remoteJid: chat, id: stanzaId, fromMe, ...participant }, timestamp };
}
