import { idWithin, messageKey, messageKeysOf } from '../event/facts/messageKey.ts';
import type { ReceivedMessage } from '../message/message.ts';

/** The keys that the fact of a past message would have. */
export function keysOfPast(message: ReceivedMessage): readonly string[] {
  const { chat, chatAlias, sender, senderAlias, stanzaId, content, direction, createdAtMs: atMs } = message;
  const fromMe = direction === 'echo';
  const named = { chat, chatAlias, sender, senderAlias, stanzaId, content, fromMe };
  return messageKeysOf({ kind: 'message', key: messageKey({ ...named, stanzaId: idWithin(named) }), atMs, ...named });
}
