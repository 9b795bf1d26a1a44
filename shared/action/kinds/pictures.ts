import { z } from 'zod';
import { askedName } from '../../content/namedFile.ts';
import { toRecipient } from '../../kernel/jid.ts';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { exampleGroup, groupAddress as group } from '../groupFields.ts';
import { exampleChat } from '../sharedState.ts';

/** The pictures of the account, of groups, and of other people. */
const pictureId = z.string().max(64).optional().meta({
  description: "WhatsApp's number of the picture, which changes with each one.",
  example: '1790000000',
});
const isSet = { set: z.literal(true), pictureId } as const;
const isRemoved = { removed: z.literal(true) } as const;

const PREPARED =
  'The file is a JPEG, PNG, WebP, GIF, AVIF or TIFF, uploaded or behind a link. It is made a square JPEG of at most 640 pixels and 100 KB, from its middle and ' +
  'without what its camera wrote down; until it is, nothing is asked of WhatsApp.';
const common = { method: 'POST', deadlineMs: 20_000, access: 'tenant' } as const;
/** What a person does by hand: WhatsApp's own limit is not known. */
const budget = { burst: 2, perSecond: 0.1 } as const;
const exampleFile = 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H';

export const profilePictureSet = actionRow({
  ...common,
  kind: 'profile_picture_set',
  path: 'profile/picture',
  summary: "Set the account's own picture",
  description: `${PREPARED} Those who know the account are told by WhatsApp, so it is done once.`,
  request: z.strictObject(askedName),
  result: z.object(isSet),
  example: { request: { id: exampleFile }, result: { set: true, pictureId: '1790000000' } },
  effect: 'once',
  budget,
  file: 'picture',
});

export const profilePictureRemove = actionRow({
  ...common,
  kind: 'profile_picture_remove',
  path: 'profile/picture/remove',
  summary: "Remove the account's own picture",
  description: 'Also where it has none. Asked again it does no harm.',
  request: z.strictObject({}),
  result: z.object(isRemoved),
  example: { request: {}, result: { removed: true } },
  effect: 'repeatable',
  budget,
});

export const groupPictureSet = actionRow({
  ...common,
  kind: 'group_picture_set',
  path: 'groups/{group}/picture',
  summary: 'Set the picture of a group',
  description: `${PREPARED} The group shows who changed it, so it is done once. WhatsApp refuses it where only administrators may.`,
  request: z.strictObject({ group, ...askedName }),
  result: z.object({ group: chatSchema, ...isSet }),
  example: {
    request: { group: exampleGroup.id, id: exampleFile },
    result: { group: exampleGroup, set: true, pictureId: '1790000000' },
  },
  effect: 'once',
  budget,
  file: 'picture',
});

export const groupPictureRemove = actionRow({
  ...common,
  kind: 'group_picture_remove',
  path: 'groups/{group}/picture/remove',
  summary: 'Remove the picture of a group',
  description: 'The group shows who removed it. WhatsApp refuses it where only administrators may.',
  request: z.strictObject({ group }),
  result: z.object({ group: chatSchema, ...isRemoved }),
  example: { request: { group: exampleGroup.id }, result: { group: exampleGroup, removed: true } },
  effect: 'once',
  budget,
});

export const pictureFind = actionRow({
  ...common,
  kind: 'picture_find',
  path: 'chats/{chat}/picture',
  summary: 'Look up the picture of a person or a group',
  description:
    'WhatsApp is asked, and its host gives the file, which is kept as others are: `media` is there, or soon will be. The same picture is fetched once a day. ' +
    '`none` says that there is none, `hidden` that the person does not show it to this account. The number of the account itself gives its own.',
  request: z.strictObject({
    chat: z
      .string()
      .min(1)
      .max(64)
      .refine(
        (text) => toRecipient(text) !== undefined,
        'Write it like +49 151 23456789, or as the address of a person or group that this API showed you.',
      )
      .meta({ description: 'Phone number in international form, or the address of a person or group.' }),
    size: z
      .enum(['full', 'preview'])
      .default('full')
      .meta({ description: '`full` is 640 pixels wide as a rule, `preview` 96.' }),
  }),
  result: z.object({
    chat: chatSchema,
    picture: z.enum(['found', 'none', 'hidden']),
    pictureId,
    media: z
      .object({
        id: z.string().meta({ description: '`GET /v1/media/{id}` leads to the file.' }),
        state: z.enum(['pending', 'ready', 'failed', 'gone']),
        error: z
          .object({ code: z.string(), sentence: z.string() })
          .optional()
          .meta({ description: 'Why it failed. Looked up again ten seconds later, it is fetched anew.' }),
        mime_type: z.string().optional(),
        bytes: z.number().int().optional(),
        sha256: z.string().optional(),
        kept_until: z.iso.datetime().optional(),
      })
      .optional()
      .meta({
        description: 'The file; present when it was `found`. `GET /v1/media/{id}/info` shows what has become of it.',
      }),
  }),
  example: {
    request: { chat: '+4915123456789' },
    result: {
      chat: exampleChat,
      picture: 'found',
      pictureId: '1790000000',
      media: { id: exampleFile, state: 'ready', mime_type: 'image/jpeg', bytes: 48_213 },
    },
  },
  effect: 'repeatable',
  // Opening a chat on a phone asks once for its picture.
  budget: { burst: 10, perSecond: 1 },
});
