import { z } from 'zod';
import { publicStatusOf, type Connection } from '../../shared/connection/connection.ts';
import { shownPace } from '../../shared/connection/pace.ts';
import { paceSchema, toShownPace } from '../../shared/connection/paceView.ts';
import { pauseCodes, pauseRules, type PauseCode } from '../../shared/connection/sendsPause.ts';
import { readSettings, settingsSchema, withDefaults } from '../../shared/connection/settings.ts';
import { connectionStatuses, statusCodes, userActions } from '../../shared/connection/status.ts';
import { contentSchema, messageFlagsSchema } from '../../shared/content/content.ts';
import { shownPartOf } from '../../shared/event/facts/messageParts.ts';
import { shownPartsSchema, toShownParts } from '../../shared/message/messageParts.ts';
import { filesOf, shownMediaSchema, toShownMedia } from '../../shared/media/media.ts';
import { toSentMediaView } from '../../shared/message/sentMedia.ts';
import { toShownTrail, trailSchema } from '../../shared/message/liveTrail.ts';
import { partOfSchema } from '../../shared/content/partOf.ts';
import { chatSchema, contactSchema, senderSchema, toChat, toContact, toSender } from '../../shared/message/party.ts';
import type { MessageVersion } from '../../shared/message/messageVersions.ts';
import { originalSchema, toShownOriginal, type ShownOriginal } from '../../shared/message/shownOriginal.ts';
import { shownContextSchema, toShownContext } from '../../shared/message/shownContext.ts';
import { messageWaitSchema, waitOfAll, waitOfMessage } from '../../shared/message/messageWait.ts';
import { latenessOf, lateReasons } from '../../shared/message/lateness.ts';
import { sendErrorSchema, toShownError } from '../../shared/message/sendError.ts';
import {
  sendStates,
  type Message,
  type SendState,
  type SentMessage,
  type StoredOriginal,
  type ReceivedMessage,
} from '../../shared/message/message.ts';
import type { KnownMedia } from './filesOfMessages.ts';
import { wholeNumber } from '../http/wholeNumber.ts';

/** The views of our records that the API shows: shapes for the OpenAPI document, and the pure translators to them. */
const at = z.iso.datetime();
const toTime = (ms: number): string => new Date(ms).toISOString();

export const connectionViewSchema = z
  .object({
    id: z.string(),
    label: z.string().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    settings: settingsSchema.optional(),
    wanted: z.enum(['online', 'off']).meta({ description: 'What you asked for; the status says what is.' }),
    status: z.object({
      status: z.enum(connectionStatuses),
      code: z.enum(statusCodes),
      sentence: z.string(),
      userAction: z.enum(userActions),
      since: at,
      nextAttemptAt: at.optional().meta({ description: 'When the next attempt to connect begins, or began.' }),
    }),
    sends: z
      .object({ state: z.enum(['paused', 'partly_paused']), code: z.enum(pauseCodes), sentence: z.string(), until: at })
      .optional()
      .meta({ description: 'Present while messages wait although the connection is online.' }),
    pace: paceSchema
      .optional()
      .meta({ description: 'How fast it may send, and to how many new people; absent until an account is linked.' }),
    account: z
      .object({ phoneNumber: z.string(), jid: z.string(), lid: z.string().optional(), name: z.string().optional() })
      .optional()
      .meta({ description: 'The linked WhatsApp account; absent until one is linked.' }),
    parkedMessages: z.number().int().meta({ description: 'Messages that wait for the connection to come online.' }),
    filtered: z
      .object({
        since: at.meta({ description: 'When the first message was dropped.' }),
        messages: z.record(z.string(), z.number().int()).meta({
          description: 'The number of dropped messages by the name of the filter. It may lag a minute behind.',
          example: { groups: 1204, 'types.text': 3 },
        }),
      })
      .optional()
      .meta({ description: 'What the filters have dropped; absent while it is nothing.' }),
    shard: z.number().int(),
    createdAt: at,
  })
  .meta({ id: 'Connection' });

export function toConnectionView(connection: Connection, nowMs: number): z.infer<typeof connectionViewSchema> {
  const { sinceMs, nextAttemptAtMs, ...status } = publicStatusOf(connection);
  const { account, label, metadata, settings, wanted, filtered } = connection;
  const next = nextAttemptAtMs === undefined ? {} : { nextAttemptAt: toTime(nextAttemptAtMs) };
  return {
    id: connection.connectionId,
    ...(label === undefined ? {} : { label }),
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
    ...(settings === undefined ? {} : { settings: readSettings(settings) }),
    wanted: wanted === 'off' ? 'off' : 'online',
    status: { ...status, since: toTime(sinceMs), ...next },
    ...toSends(connection, nowMs),
    ...toPace(connection, nowMs),
    ...(account === undefined
      ? {}
      : {
          account: {
            phoneNumber: `+${account.phoneJid.split('@')[0] ?? ''}`,
            jid: account.phoneJid,
            ...(account.lid === undefined ? {} : { lid: account.lid }),
            ...(account.name === undefined ? {} : { name: account.name }),
          },
        }),
    parkedMessages: connection.parkedCount,
    ...(filtered === undefined
      ? {}
      : { filtered: { since: toTime(filtered.sinceMs), messages: { ...filtered.messages } } }),
    shard: connection.shard,
    createdAt: toTime(connection.createdAtMs),
  };
}

function toSends({ sendsPausedUntilMs: untilMs, sendsPausedBecause }: Connection, nowMs: number) {
  if (untilMs === undefined || untilMs <= nowMs) return {};
  const code: PauseCode = sendsPausedBecause ?? 'sends_paused';
  return { sends: { code, ...pauseRules[code], until: toTime(untilMs) } };
}

function toPace({ pace, settings }: Connection, nowMs: number) {
  if (pace === undefined) return {};
  return { pace: toShownPace(shownPace(pace, withDefaults(readSettings(settings)).pace, nowMs)) };
}

const stateNames = Object.keys(sendStates) as [SendState, ...SendState[]];

export const messageViewSchema = z
  .object({
    id: z.string(),
    stanzaId: z.string().meta({ description: "WhatsApp's id of the message." }),
    direction: z.enum(['out', 'in', 'echo']),
    status: z.enum([...stateNames, 'received']),
    to: z.string().optional().meta({ description: 'The address that was asked for.' }),
    resolvedTo: contactSchema
      .optional()
      .meta({ description: 'The address that WhatsApp named for it, where that is another one.' }),
    chat: chatSchema,
    sender: senderSchema.optional().meta({ description: 'Who wrote it; absent in what you sent through this API.' }),
    content: contentSchema,
    flags: messageFlagsSchema.optional(),
    partOf: partOfSchema.optional(),
    parts: shownPartsSchema.optional(),
    trail: trailSchema.optional(),
    media: z.array(shownMediaSchema).optional().meta({ description: 'Its files.' }),
    context: shownContextSchema.optional(),
    original: originalSchema.optional(),
    waits: messageWaitSchema.optional().meta({
      description:
        'Why it has not left yet: of a `parked` message, and of a `queued` one where all of its connection wait.',
    }),
    error: sendErrorSchema.optional(),
    look: z
      .object({ backgroundColor: z.string().optional(), font: z.number().int().optional() })
      .optional()
      .meta({
        description: 'The look of a status, as its request named it.',
        example: { backgroundColor: '#1f7aec', font: 2 },
      }),
    callbackData: z
      .string()
      .optional()
      .meta({ description: 'What the request had as `biz_opaque_callback_data`, where it had that.' }),
    late: z.enum(lateReasons).optional().meta({
      description:
        'What has stayed away for longer than it should: the acknowledgement of WhatsApp for an hour, or any receipt for a day. It may come after all.',
    }),
    bulkSend: z
      .object({ id: z.string(), line: z.number().int() })
      .optional()
      .meta({ description: 'The bulk send that it belongs to, and its line there; 1 is the first.' }),
    createdAt: at,
    notBefore: at.optional().meta({ description: 'The time that it was, or is, scheduled for.' }),
    expiresAt: at.optional().meta({ description: 'The time after which it is not sent any more.' }),
    sentAt: at.optional(),
    deliveredAt: at.optional(),
    editedAt: at.optional().meta({ description: 'When it was last edited; `content` is what it says now.' }),
    deletedAt: at.optional().meta({ description: 'When it was taken back; `content` is what it said.' }),
    starred: z.literal(true).optional().meta({ description: 'Present while the account has a star on it.' }),
    deletedForMeAt: at.optional().meta({
      description: 'When the account deleted it for itself alone; `content` is what it says, and others still see it.',
    }),
    readAt: at
      .optional()
      .meta({ description: 'When it was read; of a received message, when you had it marked as read.' }),
  })
  .meta({ id: 'Message' });

/** What is known beside a message, each left out where it does not matter. */
export interface BesideMessage {
  /** The present, by which it is late or not. */
  readonly nowMs?: number;
  /** The connection as it is at present, which says why the message waits. */
  readonly connection?: Connection;
  /** The rows of its files, as far as they are known: the others are shown as they were when it came. */
  readonly media?: KnownMedia;
}

/** A message as the API shows it. */
export function toMessageView(
  message: Message,
  { nowMs, connection, media }: BesideMessage = {},
): z.infer<typeof messageViewSchema> {
  const late = nowMs === undefined ? undefined : latenessOf(message, nowMs);
  const { editedAtMs, deletedAtMs, starred, deletedForMeAtMs } = message;
  const common = {
    id: message.messageId,
    stanzaId: message.stanzaId,
    createdAt: toTime(message.createdAtMs),
    ...(editedAtMs === undefined ? {} : { editedAt: toTime(editedAtMs) }),
    ...(deletedAtMs === undefined ? {} : { deletedAt: toTime(deletedAtMs) }),
    ...(starred === true ? { starred } : {}),
    ...(deletedForMeAtMs === undefined ? {} : { deletedForMeAt: toTime(deletedForMeAtMs) }),
    ...(late === undefined ? {} : { late }),
  };
  if (message.direction !== 'out') {
    return { ...common, ...toReceivedView(message), ...toMediaViews(message, media) };
  }
  const { to, resolvedTo, toAlias, content, context, original, look, callbackData, state, error } = message;
  const { createdAtMs, parts, ...times } = message;
  const { sentAtMs, deliveredAtMs, readAtMs } = inOrder(createdAtMs, times);
  const waits = nowMs === undefined || connection === undefined ? undefined : toWaits(message, connection, nowMs);
  return {
    ...common,
    direction: 'out',
    status: state,
    to,
    ...(resolvedTo === undefined ? {} : { resolvedTo: toContact(resolvedTo, toAlias) }),
    chat: toChat(resolvedTo, to, toAlias),
    content,
    ...toSentMediaView(message, media),
    ...shownPartOf(message),
    ...(parts === undefined ? {} : { parts: toShownParts(parts) }),
    ...(context === undefined ? {} : { context: toShownContext(context) }),
    ...(original === undefined ? {} : { original: toOriginalView(original) }),
    ...(waits === undefined ? {} : { waits }),
    ...(error === undefined ? {} : { error: toShownError(error) }),
    ...(look === undefined ? {} : { look: { ...look } }),
    ...(callbackData === undefined ? {} : { callbackData }),
    ...toAsked(times),
    ...(sentAtMs === undefined ? {} : { sentAt: toTime(sentAtMs) }),
    ...(deliveredAtMs === undefined ? {} : { deliveredAt: toTime(deliveredAtMs) }),
    ...(readAtMs === undefined ? {} : { readAt: toTime(readAtMs) }),
  };
}

function toWaits({ state, parkedFor }: SentMessage, connection: Connection, nowMs: number) {
  if (state === 'parked') return waitOfMessage(parkedFor, connection, nowMs);
  return state === 'queued' ? waitOfAll(connection, nowMs) : undefined;
}

function toReceivedView(message: ReceivedMessage) {
  const { direction, content, flags, parts, trail, context, original, markedReadAtMs } = message;
  const chat = toChat(message.chat, message.chatAlias);
  const sender = toSender(message);
  return {
    direction,
    status: 'received' as const,
    chat,
    sender,
    content,
    ...(flags === undefined ? {} : { flags: [...flags] }),
    ...shownPartOf(message),
    ...(parts === undefined ? {} : { parts: toShownParts(parts) }),
    ...(trail === undefined ? {} : { trail: toShownTrail(trail) }),
    ...(context === undefined ? {} : { context: toShownContext(context) }),
    ...(original === undefined ? {} : { original: toOriginalView(original) }),
    ...(markedReadAtMs === undefined ? {} : { readAt: toTime(markedReadAtMs) }),
  };
}

function toMediaViews(message: ReceivedMessage, media?: KnownMedia) {
  const files = filesOf(message);
  if (files.length === 0) return {};
  return {
    media: files.map((file) => {
      const row = media?.get(file.mediaId);
      return toShownMedia(row === undefined || 'broughtBy' in row ? file : row);
    }),
  };
}

function toOriginalView({ stanzaId, messageId, sender, senderAlias }: StoredOriginal): ShownOriginal {
  return toShownOriginal(stanzaId, messageId, sender, senderAlias);
}

export const messageVersionViewSchema = z
  .object({
    at: at.meta({ description: 'Since when it said so.' }),
    stanzaId: z.string().meta({ description: "WhatsApp's id of the message, or of the edit." }),
    content: contentSchema,
  })
  .meta({ id: 'MessageVersion' });

export function toMessageVersionView({
  atMs,
  stanzaId,
  content,
}: MessageVersion): z.infer<typeof messageVersionViewSchema> {
  return { at: toTime(atMs), stanzaId, content };
}

type Asked = Pick<SentMessage, 'notBeforeMs' | 'expiresAtMs' | 'bulkSendId' | 'line'>;

/** The times that the request named, and the bulk send that it was. */
function toAsked({ notBeforeMs, expiresAtMs, bulkSendId, line = 0 }: Asked) {
  return {
    ...(bulkSendId === undefined ? {} : { bulkSend: { id: bulkSendId, line: line + 1 } }),
    ...(notBeforeMs === undefined ? {} : { notBefore: toTime(notBeforeMs) }),
    ...(expiresAtMs === undefined ? {} : { expiresAt: toTime(expiresAtMs) }),
  };
}

type SendTimes = Pick<SentMessage, 'sentAtMs' | 'deliveredAtMs' | 'readAtMs'>;

/**
 * The times of the steps, each at least that of the step before it: they come from three clocks, one of them in whole
 * seconds.
 */
function inOrder(createdAtMs: number, { sentAtMs, deliveredAtMs, readAtMs }: SendTimes): SendTimes {
  const notBefore = (atMs: number | undefined, ...earlier: readonly (number | undefined)[]): number | undefined =>
    atMs === undefined ? undefined : Math.max(atMs, createdAtMs, ...earlier.map((earlierMs) => earlierMs ?? 0));
  return {
    sentAtMs: notBefore(sentAtMs),
    deliveredAtMs: notBefore(deliveredAtMs, sentAtMs),
    readAtMs: notBefore(readAtMs, sentAtMs, deliveredAtMs),
  };
}

/**
 * The schema of a page of a list. A page ends at `limit` or at 1 MB, so its length says nothing about whether there is
 * more.
 */
export const pageOf = (schema: z.ZodType) =>
  z.object({
    data: z.array(schema),
    hasMore: z.boolean().meta({ description: 'Whether there may be more to read now: go on with `next`.' }),
    next: z.string().optional().meta({ description: 'Where the next page begins; absent on the last one.' }),
  });

/**
 * A page of a list.
 * @param next where the next page begins; undefined on the last one
 */
export function toPage<View>(data: readonly View[], next: string | undefined) {
  return { data, hasMore: next !== undefined, ...(next === undefined ? {} : { next }) };
}

export const limitSchema = wholeNumber(1, 100).default(50);
