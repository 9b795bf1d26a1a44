import { boundedName } from '../../kernel/boundedName.ts';
import type { StanzaId } from '../../kernel/id.ts';
import { factBounds } from './factBounds.ts';
import { factRow } from './factRow.ts';
import { messageDeleted, messageEcho, messageEdited, messageReceived, messageUpdated } from './messageEvents.ts';
import { messageFactSchema } from './messageFactSchema.ts';
import { messageKeysOf, namingsOf } from './messageKey.ts';
import { planMessage } from './planMessage.ts';

export const messageFact = factRow({
  schema: messageFactSchema,
  writtenBy: 'strangers',
  people: [
    ['chat', 'chatAlias'],
    ['sender', 'senderAlias'],
    ['originalSender', 'originalSenderAlias'],
  ],
  keysByName: messageKeysOf,
  names: namingsOf,
  // A message without an id was written all the same, so it gets an id.
  complete: (fact) =>
    fact.stanzaId === ''
      ? { ...fact, stanzaId: boundedName(`none~${fact.key}`, factBounds.idUnits) as StanzaId }
      : fact,
  // The fields that its sender did not write: that it came, from whom, and how large it was.
  remains: (
    { kind, key, otherKeys, atMs, stanzaId, chat, sender, chatAlias, senderAlias, fromMe, receivedAtMs },
    refusal,
    bytes,
  ) =>
    present({
      kind,
      key,
      otherKeys,
      atMs,
      stanzaId,
      chat,
      sender,
      chatAlias,
      senderAlias,
      fromMe,
      receivedAtMs,
      content: { type: 'unsupported', unsupported: { kind: refusal, bytes } },
    }),
  decide: planMessage,
  events: [messageReceived, messageEcho, messageEdited, messageUpdated, messageDeleted],
});

function present(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
