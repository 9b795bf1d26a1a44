import type { proto } from '@whiskeysockets/baileys';

/** Kinds that act on another message. */
const WITHOUT: readonly (keyof proto.IMessage)[] = [
  'reactionMessage',
  'encReactionMessage',
  'encEventResponseMessage',
  'pollUpdateMessage',
  'editedMessage',
  'pinInChatMessage',
  'keepInChatMessage',
];
export const SECRET_BYTES = 32;

/**
 * A message with its secret: later edits, votes and reactions are sealed with it, and Baileys makes the token from it
 * by which WhatsApp's clients report a message. A message that brings its own secret keeps it.
 */
export function withSecret(message: proto.IMessage, secret: Uint8Array): proto.IMessage {
  const { messageContextInfo } = message;
  if (messageContextInfo?.messageSecret || isAct(message)) return message;
  return { ...message, messageContextInfo: { ...messageContextInfo, messageSecret: secret } };
}

/** Whether a message acts on another one; what devices tell each other does so where it names one. */
function isAct(message: proto.IMessage): boolean {
  return WITHOUT.some((name) => message[name]) || Boolean(message.protocolMessage?.key);
}
