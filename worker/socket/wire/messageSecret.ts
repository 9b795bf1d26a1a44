import type { proto } from '@whiskeysockets/baileys';

/** Kinds that act on another message and are sealed with its secret. */
const WITHOUT: readonly (keyof proto.IMessage)[] = [
  'reactionMessage',
  'encReactionMessage',
  'encEventResponseMessage',
  'pollUpdateMessage',
];
export const SECRET_BYTES = 32;

/**
 * A message with its secret: later edits, votes and reactions are sealed with it, and Baileys makes the token from it
 * by which WhatsApp's clients report a message. A message that brings its own secret keeps it.
 */
export function withSecret(message: proto.IMessage, secret: Uint8Array): proto.IMessage {
  const { messageContextInfo } = message;
  if (messageContextInfo?.messageSecret || WITHOUT.some((name) => message[name])) return message;
  return { ...message, messageContextInfo: { ...messageContextInfo, messageSecret: secret } };
}
