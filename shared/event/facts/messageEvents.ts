import { z } from 'zod';
import { contentSchema, messageFlagsSchema } from '../../content/content.ts';
import { partOfSchema } from '../../content/partOf.ts';
import { shownPartsSchema } from '../../message/messageParts.ts';
import { shownMediaSchema } from '../../media/media.ts';
import { chatSchema, senderSchema } from '../../message/party.ts';
import { shownContextSchema } from '../../message/shownContext.ts';
import { eventRow, type DraftOf } from './eventRow.ts';
import { originalSchema } from '../../message/shownOriginal.ts';

const messageData = z
  .object({
    messageId: z.string(),
    stanzaId: z.string().meta({ description: "WhatsApp's id of the message." }),
    chat: chatSchema,
    sender: senderSchema,
    content: contentSchema,
    flags: messageFlagsSchema.optional(),
    context: shownContextSchema.optional(),
    original: originalSchema.optional(),
    partOf: partOfSchema.optional(),
    parts: shownPartsSchema.optional(),
    media: z.array(shownMediaSchema).optional().meta({ description: 'Its files, as they are when it comes.' }),
  })
  .meta({ id: 'MessageData' });
export type MessageData = z.infer<typeof messageData>;

const ADA = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
export const messageReceived = eventRow({
  type: 'message.received',
  data: messageData,
  description: 'Somebody wrote to the account, or to a group that it is in.',
  example: {
    messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
    stanzaId: '3EB0C767D097B7B3E5D1',
    chat: ADA,
    sender: { ...ADA, name: 'Ada' },
    content: { type: 'text', text: { body: 'Has my order left?' } },
  },
});
export const messageEcho = eventRow({
  type: 'message.echo',
  data: messageData,
  description: "The account's own message, written on another of its devices.",
  example: {
    messageId: 'msg_01K3C5G2R5T7W9Y1A3C5E7G9J1',
    stanzaId: '3EB0F2A9B4C1D8E7A6B5',
    chat: ADA,
    sender: { id: '4915111111111@s.whatsapp.net', phoneNumber: '+4915111111111' },
    content: { type: 'text', text: { body: 'It left this morning.' } },
  },
});

const actFields = {
  original: originalSchema,
  stanzaId: z.string().meta({ description: "WhatsApp's id of what brought the change." }),
  chat: chatSchema,
  sender: senderSchema.meta({ description: 'Who did it.' }),
  direction: z.enum(['in', 'echo']).meta({ description: '`echo`: the account itself did, on another of its devices.' }),
} as const;
const original = { messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', stanzaId: '3EB0C767D097B7B3E5D1', sender: ADA };
const exampleAct = {
  original,
  stanzaId: '3EB01F2E3D4C5B6A7980',
  chat: ADA,
  sender: { ...ADA, name: 'Ada' },
  direction: 'in',
} as const;

export const messageEdited = eventRow({
  type: 'message.edited',
  data: z
    .object({
      ...actFields,
      content: contentSchema.meta({ description: 'What the original says now.' }),
      flags: messageFlagsSchema.optional(),
      context: shownContextSchema.optional(),
    })
    .meta({ id: 'MessageEditedData' }),
  description: 'The writer of a message has changed it; every version is kept.',
  example: { ...exampleAct, content: { type: 'text', text: { body: 'Has my second order left?' } } },
});
export const messageDeleted = eventRow({
  type: 'message.deleted',
  data: z.object(actFields).meta({ id: 'MessageDeletedData' }),
  description: 'The writer of a message, or an administrator of its group, has taken it back; what it said is kept.',
  example: exampleAct,
});

const part = messageData
  .pick({ messageId: true, stanzaId: true, content: true, media: true })
  .extend({ kind: z.string() });
export const messageUpdated = eventRow({
  type: 'message.updated',
  data: z
    .object({
      messageId: z.string(),
      stanzaId: actFields.stanzaId,
      chat: chatSchema,
      sender: senderSchema,
      direction: actFields.direction,
      content: contentSchema.meta({ description: 'What the message says now.' }),
      parts: shownPartsSchema.optional(),
      part: part.optional().meta({ description: 'The part that has come; absent where a live location has moved on.' }),
    })
    .meta({ id: 'MessageUpdatedData' }),
  description: 'A message has got a further part, such as a picture of its album, or its live location has moved on.',
  example: {
    messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
    stanzaId: '3EB01F2E3D4C5B6A7980',
    chat: ADA,
    sender: { ...ADA, name: 'Ada' },
    direction: 'in',
    content: { type: 'album', album: { images: 2, videos: 0 } },
    parts: [{ messageId: 'msg_01K3C5G2R5T7W9Y1A3C5E7G9J1', kind: 'album', type: 'image' }],
    part: {
      messageId: 'msg_01K3C5G2R5T7W9Y1A3C5E7G9J1',
      stanzaId: '3EB01F2E3D4C5B6A7980',
      kind: 'album',
      content: { type: 'image', image: { mime_type: 'image/jpeg', bytes: 87_213, width: 1_600, height: 1_200 } },
    },
  },
});

/** The event that a message becomes. */
export type MessageDraft =
  | DraftOf<typeof messageReceived>
  | DraftOf<typeof messageEcho>
  | DraftOf<typeof messageEdited>
  | DraftOf<typeof messageUpdated>
  | DraftOf<typeof messageDeleted>;
