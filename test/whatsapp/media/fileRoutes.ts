import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { z } from 'zod';
import type { TranscriptEntry } from '../phone.ts';
import type { Chat } from '../phoneTraffic.ts';
import { Refused } from '../refused.ts';
import type { Simulated } from '../simulated.ts';
import type { Account } from '../world.ts';
import { messageOfFile, outgoingFileSchema } from './outgoingFile.ts';

/** Routes of the control API for files: what phones show of them, what becomes of them, and what the media hosts count. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
/** Finders, which throw the API's refusal when there is no such phone, or no such chat. */
type Find = (simulator: Simulated, digits: string | undefined) => Account;
type FindChat = (simulator: Simulated, account: Account, to: string) => Chat;

const MAXIMUM_SHOWN_BYTES = 64 * 1024 * 1024;

const number = z.string().regex(/^[1-9]\d{6,14}$/, 'must be 7 to 15 digits without +');
const id = z.string().min(1);
const caption = z.string().max(4_096).optional();
/** How a file is sent, beside what it is. */
export const sendingSchema = {
  media: outgoingFileSchema,
  caption,
  /** Whether it is to be seen once: linked devices get no content of it, as from WhatsApp, or all of it. */
  viewOnce: z.enum(['withheld', 'given']).optional(),
  /** The same picture or film as that of another message of the phone, in a better quality. */
  hdOf: id.optional(),
  /** The messages of the chat disappear after so many seconds. */
  expiresIn: z.number().int().positive().optional(),
} as const;
type Sending = z.infer<z.ZodObject<typeof sendingSchema>>;

const albumSchema = z.strictObject({
  to: z.string().min(1),
  parts: z
    .array(z.strictObject({ media: outgoingFileSchema, caption }))
    .min(1)
    .max(30),
  /** How many of each its sender announces; as many as there are, without. */
  announced: z.strictObject({ images: z.number().int().min(0), videos: z.number().int().min(0) }).optional(),
});
/** A JPEG of the account or of a group, base64; without it the picture is removed. */
const pictureSchema = z.strictObject({
  data: z.base64().optional(),
  group: z.string().optional(),
  /** Shows the own picture to nobody else, or to all again; it stays as it is. */
  hidden: z.boolean().optional(),
});
const expireSchema = z.strictObject({
  sha256: z.string().regex(/^[\da-f]{64}$/, 'must be a SHA-256 in hex'),
  status: z.union([z.literal(404), z.literal(410)]).default(410),
});
/** The largest file that a phone opens by itself, in bytes; null for all. */
const downloadsSchema = z.strictObject({ mostBytes: z.number().int().min(0).nullable() });
const revokeSchema = z.strictObject({ number: number.optional() });

export function makeFileRoutes(find: Find, findChat: FindChat): readonly Route[] {
  const ofPhone: readonly Route[] = [
    [
      'POST',
      /^\/phones\/(\d+)\/albums$/,
      async (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const { to, parts, announced } = albumSchema.parse(body);
        return sendAlbum(simulator, account, findChat(simulator, account, to), parts, announced);
      },
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/files\/([\w-]+)$/,
      (simulator, [digits, message]) => findFile(find(simulator, digits), message).media,
    ],
    [
      'DELETE',
      /^\/phones\/(\d+)\/files\/([\w-]+)$/,
      (simulator, [digits, message]) => {
        const { phone } = find(simulator, digits);
        const entry = findFile({ phone }, message);
        phone.noteFile(entry.from, entry.id, { state: 'removed' });
        return {};
      },
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/media\/([\w-]+)$/,
      async (simulator, [digits, message]) => {
        const entry = findFile(find(simulator, digits), message);
        if ((entry.media?.bytes ?? 0) > MAXIMUM_SHOWN_BYTES) throw new Refused(409, 'It is larger than 64 MB.');
        const content = simulator.files.content(entry);
        if (content === undefined) {
          throw new Refused(
            409,
            `The phone has not opened it: ${entry.media?.state} ${entry.media?.complaints.join()}.`,
          );
        }
        return { data: Buffer.concat(await Array.fromAsync(content)).toString('base64') };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/picture$/,
      (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const { data, group, hidden } = pictureSchema.parse(body);
        if (hidden !== undefined) {
          simulator.pictures.hide(account, hidden);
          return {};
        }
        const picture = data === undefined ? undefined : Buffer.from(data, 'base64');
        const target = group ?? `${account.number}@s.whatsapp.net`;
        if (simulator.pictures.set(account, target, picture)) return {};
        throw new Refused(409, 'This phone is not a member of the group.');
      },
    ],
    [
      'GET',
      /^\/pictures\/([^/]+)$/,
      async (simulator, [target = '']) => {
        const content = await simulator.pictures.contentOf(decodeURIComponent(target));
        return content === undefined ? {} : { data: content.toString('base64') };
      },
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/complaints$/,
      (simulator, [digits]) =>
        find(simulator, digits).phone.transcript.flatMap(({ id: message, from, chat, media }) =>
          media === undefined || media.complaints.length === 0
            ? []
            : [{ id: message, from, chat, complaints: media.complaints }],
        ),
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/downloads$/,
      async (simulator, [digits], body) => {
        const account = find(simulator, digits);
        await simulator.files.openUpTo(account, downloadsSchema.parse(body).mostBytes);
        return {};
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/(disconnect|connect)$/,
      (simulator, [digits, what]) => {
        const account = find(simulator, digits);
        if (what === 'connect') simulator.phones.connect(account);
        else simulator.phones.disconnect(account);
        return {};
      },
    ],
  ];
  return [...ofPhone, ...hostRoutes];
}

const hostRoutes: readonly Route[] = [
  [
    'POST',
    /^\/media\/expire$/,
    (simulator, _parameters, body) => {
      const { sha256, status } = expireSchema.parse(body);
      return { places: simulator.world.files.expire(sha256, status) };
    },
  ],
  [
    'POST',
    /^\/media\/revoke-tokens$/,
    (simulator, _parameters, body) => ({ tokens: simulator.tokens.revoke(revokeSchema.parse(body).number) }),
  ],
  ['GET', /^\/media\/stats$/, (simulator) => simulator.mediaLog.stats()],
  ['GET', /^\/media\/requests$/, (simulator) => simulator.mediaLog.requests()],
  ['GET', /^\/media\/files$/, (simulator) => simulator.world.files.list()],
];

/** The message of a file that a phone sends: the file is uploaded before. */
export async function toFileMessage(simulator: Simulated, account: Account, chat: Chat, sending: Sending) {
  const { media, caption: words, viewOnce, hdOf, expiresIn } = sending;
  const facts = await simulator.files.upload(account, media);
  const message = messageOfFile(media, facts, words);
  const content = [
    hdOf === undefined ? undefined : (inner: proto.IMessage) => asTwin(inner, account, chat, hdOf),
    viewOnce === undefined ? undefined : asViewOnce,
    expiresIn === undefined ? undefined : (inner: proto.IMessage) => ({ ephemeralMessage: { message: inner } }),
  ].reduce<proto.IMessage>((inner, wrap) => (wrap === undefined ? inner : wrap(inner)), message);
  return { content, placeholder: viewOnce === 'withheld' ? 'view_once_unavailable_fanout' : undefined };
}

function asViewOnce(message: proto.IMessage): proto.IMessage {
  const once = Object.fromEntries(
    Object.entries(message).map(([name, fields]) => [name, { ...(fields as object), viewOnce: true }]),
  );
  return message.audioMessage
    ? { viewOnceMessageV2Extension: { message: once } }
    : { viewOnceMessageV2: { message: once } };
}

const { HD_IMAGE_DUAL_UPLOAD, HD_VIDEO_DUAL_UPLOAD, MEDIA_ALBUM } = proto.MessageAssociation.AssociationType;

/** The same picture in a better quality comes as a child of the first. */
function asTwin(message: proto.IMessage, account: Account, chat: Chat, twin: string): proto.IMessage {
  const associationType = message.imageMessage ? HD_IMAGE_DUAL_UPLOAD : HD_VIDEO_DUAL_UPLOAD;
  const parentMessageKey = keyOf(account, chat, twin);
  return {
    associatedChildMessage: {
      message: { ...message, messageContextInfo: { messageAssociation: { associationType, parentMessageKey } } },
    },
  };
}

function keyOf(account: Account, chat: Chat, message: string): proto.IMessageKey {
  return {
    id: message,
    fromMe: true,
    remoteJid: 'members' in chat ? chat.id : `${chat.number}@s.whatsapp.net`,
    ...('members' in chat ? { participant: `${account.lid}@lid` } : {}),
  };
}

async function sendAlbum(
  simulator: Simulated,
  account: Account,
  chat: Chat,
  parts: z.infer<typeof albumSchema>['parts'],
  announced: z.infer<typeof albumSchema>['announced'],
) {
  const images = parts.filter(({ media }) => media.kind === 'image').length;
  const album = await simulator.phones.write(account, chat, {
    albumMessage: {
      expectedImageCount: announced?.images ?? images,
      expectedVideoCount: announced?.videos ?? parts.length - images,
    },
    messageContextInfo: { messageSecret: randomBytes(32) },
  });
  const ids: string[] = [];
  for (const { media, caption: words } of parts) {
    const message = messageOfFile(media, await simulator.files.upload(account, media), words);
    const messageAssociation = { associationType: MEDIA_ALBUM, parentMessageKey: keyOf(account, chat, album) };
    ids.push(await simulator.phones.write(account, chat, { ...message, messageContextInfo: { messageAssociation } }));
  }
  return { id: album, parts: ids };
}

function findFile({ phone }: Pick<Account, 'phone'>, message: string | undefined): TranscriptEntry {
  const entry = phone.transcript.findLast((candidate) => candidate.id === message);
  if (entry?.media === undefined) throw new Refused(404, 'This phone shows no file under that id.');
  return entry;
}
