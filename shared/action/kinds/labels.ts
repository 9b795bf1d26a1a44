import { z } from 'zod';
import { exampleLabel, isLabelId, labelSchema, MOST_COLORS, MOST_LABELS } from '../../message/label.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { upTo } from '../groupFields.ts';
import { chatAddress, exampleChat, sharedStateAction } from '../sharedState.ts';

/** Labels of a business. They are kept in the state that its own devices share, and nobody else sees them. */
const NAME_CHARACTERS = 100;
const label = z
  .string()
  .refine(isLabelId, 'Write the id of a label that this API showed you.')
  .meta({ description: 'A label, by its id.' });
const messageId = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'A message of this connection, by its id in this API.' });
const name = upTo(NAME_CHARACTERS)
  .refine((text) => text.trim() !== '', 'must have a letter or a sign')
  .meta({ example: 'To be paid' });
const color = z
  .number()
  .int()
  .min(0)
  .max(MOST_COLORS - 1)
  .meta({ description: `The number of one of WhatsApp's colours, 0 to ${MOST_COLORS - 1}.`, example: 3 });
const EXAMPLE = exampleLabel.id;
const exampleMessage = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H';

// Each reads all that lies beside the labels, so that the budgets are smaller than of other changes.
const read = { ...sharedStateAction, method: 'GET', budget: { burst: 3, perSecond: 0.1 } } as const;
const change = { ...sharedStateAction, budget: { burst: 5, perSecond: 0.2 } } as const;
const SHARED =
  'The phone and other devices follow, where the app is that of a business; that of a private account shows no labels, and WhatsApp says nothing of it. Asked again it does no harm.';

export const labelList = actionRow({
  ...read,
  kind: 'label_list',
  path: 'labels',
  summary: 'List the labels of the account',
  description:
    'Those that were made before the account was linked, too: all of what its devices share is read for it. Events tell of changes, so there is no need to ask often.',
  request: z.strictObject({}),
  result: z.object({
    labels: z.array(labelSchema),
    complete: z.boolean().meta({ description: 'False where not all of them fit into an answer.' }),
  }),
  example: { request: {}, result: { labels: [exampleLabel], complete: true } },
});

export const labelFind = actionRow({
  ...read,
  kind: 'label_find',
  path: 'labels/{label}',
  summary: 'Look at a label, and at what it is on',
  description: 'The chats and messages that have it, those from before the account was linked, too.',
  request: z.strictObject({ label }),
  result: z.object({
    label: labelSchema,
    chats: z.array(chatSchema),
    messages: z.array(
      z.object({ chat: chatSchema, stanzaId: z.string().meta({ description: "WhatsApp's id of the message." }) }),
    ),
    complete: z.boolean().meta({ description: 'False where not all of them fit into an answer.' }),
  }),
  example: {
    request: { label: EXAMPLE },
    result: { label: exampleLabel, chats: [exampleChat], messages: [], complete: true },
  },
});

export const labelCreate = actionRow({
  ...change,
  method: 'POST',
  kind: 'label_create',
  path: 'labels',
  summary: 'Make a label',
  description: `Where there is one of this name, that is the answer, as it is. There are ${MOST_LABELS} at most. ${SHARED}`,
  request: z.strictObject({ name, color: color.default(0) }),
  result: z.object({ label: labelSchema, created: z.boolean() }),
  example: { request: { name: 'To be paid', color: 3 }, result: { label: exampleLabel, created: true } },
});

export const labelChange = actionRow({
  ...change,
  method: 'PATCH',
  kind: 'label_change',
  path: 'labels/{label}',
  summary: 'Give a label another name or colour',
  description: `What is left out stays. What has the label keeps it. ${SHARED}`,
  request: z.strictObject({ label, name: name.optional(), color: color.optional() }),
  result: z.object({ label: labelSchema }),
  example: { request: { label: EXAMPLE, name: 'To be paid', color: 3 }, result: { label: exampleLabel } },
});

export const labelDelete = actionRow({
  ...change,
  method: 'DELETE',
  kind: 'label_delete',
  path: 'labels/{label}',
  summary: 'Delete a label',
  description: `It is gone from all that has it. ${SHARED}`,
  request: z.strictObject({ label }),
  result: z.object({ label: labelSchema, deleted: z.literal(true) }),
  example: { request: { label: EXAMPLE }, result: { label: exampleLabel, deleted: true } },
});

const chatRequest = z.strictObject({ label, chat: chatAddress });
const chatResult = <Assigned extends boolean>(assigned: Assigned) =>
  z.object({ label: labelSchema, chat: chatSchema, assigned: z.literal(assigned) });
const onChat = { ...change, path: 'labels/{label}/chats/{chat}', request: chatRequest } as const;
const exampleOnChat = { label: EXAMPLE, chat: '+4915123456789' };

export const labelChatAdd = actionRow({
  ...onChat,
  method: 'PUT',
  kind: 'label_chat_add',
  summary: 'Put a label on a chat',
  description: `A chat may have several. ${SHARED}`,
  result: chatResult(true),
  example: { request: exampleOnChat, result: { label: exampleLabel, chat: exampleChat, assigned: true } },
});

export const labelChatRemove = actionRow({
  ...onChat,
  method: 'DELETE',
  kind: 'label_chat_remove',
  summary: 'Take a label from a chat',
  description: `Also where it is not on it. ${SHARED}`,
  result: chatResult(false),
  example: { request: exampleOnChat, result: { label: exampleLabel, chat: exampleChat, assigned: false } },
});

const messageRequest = z.strictObject({ label, messageId });
const messageResult = <Assigned extends boolean>(assigned: Assigned) =>
  z.object({ label: labelSchema, chat: chatSchema, messageId: z.string(), assigned: z.literal(assigned) });
const onMessage = { ...change, path: 'labels/{label}/messages/{messageId}', request: messageRequest } as const;
const exampleOnMessage = { label: EXAMPLE, messageId: exampleMessage };
const shownOnMessage = { label: exampleLabel, chat: exampleChat, messageId: exampleMessage };

export const labelMessageAdd = actionRow({
  ...onMessage,
  method: 'PUT',
  kind: 'label_message_add',
  summary: 'Put a label on a message',
  description: `Any message that WhatsApp has, received or sent. ${SHARED}`,
  result: messageResult(true),
  example: { request: exampleOnMessage, result: { ...shownOnMessage, assigned: true } },
});

export const labelMessageRemove = actionRow({
  ...onMessage,
  method: 'DELETE',
  kind: 'label_message_remove',
  summary: 'Take a label from a message',
  description: `Also where it is not on it. ${SHARED}`,
  result: messageResult(false),
  example: { request: exampleOnMessage, result: { ...shownOnMessage, assigned: false } },
});
