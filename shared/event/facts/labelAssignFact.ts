import { z } from 'zod';
import { chatSchema, toChat } from '../../message/party.ts';
import { originalSchema, toShownOriginal } from '../../message/shownOriginal.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, stanzaId, whatsAppId } from './factField.ts';
import { factRow, type FactContext } from './factRow.ts';
import { messageKey } from './messageKey.ts';
import { isInChat } from './originalRule.ts';
import type { Naming } from './originals.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('label_assign'),
  labelId: whatsAppId,
  chat: address,
  chatAlias: address.optional(),
  /** The message that the label is on; absent where it is on the whole chat. */
  stanzaId: stanzaId.optional(),
  /** The writer of the message, where the device says so. */
  sender: address.optional(),
  senderAlias: address.optional(),
  isSet: z.boolean(),
});

/** One of the account's own devices, or this connection, has put a label on a chat or a message, or taken it away. */
export type LabelAssignFact = z.infer<typeof schema>;

const ADA = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
const labelAssigned = eventRow({
  type: 'label.assigned',
  data: z
    .object({
      labelId: z.string().meta({ description: 'As `label.updated` names it.' }),
      chat: chatSchema,
      original: originalSchema
        .optional()
        .meta({ description: 'The message that it is on; absent for the whole chat.' }),
      assigned: z.boolean().meta({ description: 'Whether the label is on it now.' }),
    })
    .meta({ id: 'LabelAssignedData' }),
  description:
    'The account has put a label on a chat or a message, or taken it away: on its phone, another device, or here.',
  example: { labelId: '7', chat: ADA, assigned: true },
});

export const labelAssignFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [
    ['chat', 'chatAlias'],
    ['sender', 'senderAlias'],
  ],
  names: (fact) => (fact.stanzaId === undefined ? [] : [namingOf(fact, fact.stanzaId)]),
  decide: (fact, context) => {
    const { labelId, chat, chatAlias, isSet, atMs } = fact;
    const original = originalOf(fact, context);
    return {
      plan: 'stored',
      draft: toDraft(labelAssigned, context.origin, atMs, {
        labelId,
        chat: toChat(chat, chatAlias),
        ...(original === undefined ? {} : { original }),
        assigned: isSet,
      }),
    };
  },
  events: [labelAssigned],
});

function originalOf(fact: LabelAssignFact, { named }: FactContext) {
  if (fact.stanzaId === undefined) return undefined;
  const [found] = named;
  const isIt = found?.message !== undefined && isInChat(found.message, fact);
  return toShownOriginal(fact.stanzaId, isIt ? found.messageId : undefined, fact.sender, fact.senderAlias);
}

/** The message under all names of its chat, whoever wrote it: a label does not say so reliably. */
function namingOf(
  { chat, chatAlias, sender, senderAlias }: LabelAssignFact,
  id: NonNullable<LabelAssignFact['stanzaId']>,
): Naming {
  const chats = [chat, chatAlias].filter((name) => name !== undefined);
  const writers = [sender, senderAlias].filter((name) => name !== undefined);
  const keys = chats.flatMap((one) => [
    ...(writers.length === 0 ? chats : writers).map((writer) =>
      messageKey({ chat: one, sender: writer, fromMe: false, stanzaId: id }),
    ),
    messageKey({ chat: one, sender: '', fromMe: true, stanzaId: id }),
  ]);
  return { stanzaId: id, keys: [...new Set(keys)], mayBeOurs: true, needs: 'row' };
}
