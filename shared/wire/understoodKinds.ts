import type { BodyOf, ContentType, InboundContent, InboundType } from '../content/content.ts';
import type { MediaFile } from '../content/mediaFile.ts';
import type { MessageContext } from '../content/messageContext.ts';
import { readContext } from './contextInfo.ts';
import { aiMessage } from './kinds/aiMessage.ts';
import { album } from './kinds/album.ts';
import { audio } from './kinds/audio.ts';
import { button } from './kinds/button.ts';
import { callLog } from './kinds/callLog.ts';
import { channelInvite } from './kinds/channelInvite.ts';
import { comment } from './kinds/comment.ts';
import { document } from './kinds/document.ts';
import { eventInvite } from './kinds/eventInvite.ts';
import { historyShared } from './kinds/historyShared.ts';
import { image } from './kinds/image.ts';
import { interactive } from './kinds/interactive.ts';
import { keep } from './kinds/keep.ts';
import { liveLocation } from './kinds/liveLocation.ts';
import { music } from './kinds/music.ts';
import { order } from './kinds/order.ts';
import { payment } from './kinds/payment.ts';
import { pollResult } from './kinds/pollResult.ts';
import { product } from './kinds/product.ts';
import { scheduled } from './kinds/scheduled.ts';
import { scheduledCall } from './kinds/scheduledCall.ts';
import { statusAnswer } from './kinds/statusAnswer.ts';
import { statusNotification } from './kinds/statusNotification.ts';
import { statusQuoted } from './kinds/statusQuoted.ts';
import { statusSticker } from './kinds/statusSticker.ts';
import { pin } from './kinds/pin.ts';
import { reaction } from './kinds/reaction.ts';
import { sticker } from './kinds/sticker.ts';
import { stickerPack } from './kinds/stickerPack.ts';
import { template } from './kinds/template.ts';
import { contacts } from './kinds/contacts.ts';
import { event } from './kinds/event.ts';
import { groupInvite } from './kinds/groupInvite.ts';
import { location } from './kinds/location.ts';
import { phoneRequest } from './kinds/phoneRequest.ts';
import { phoneShared } from './kinds/phoneShared.ts';
import { poll } from './kinds/poll.ts';
import { text } from './kinds/text.ts';
import { video } from './kinds/video.ts';
import { videoNote } from './kinds/videoNote.ts';
import type { MessageInfo } from './messageInfo.ts';
import { bytesOf, readField, shape } from './shape.ts';
import type { Understood } from './understoodKind.ts';
import type { Level } from './unwrap.ts';
import type { Original } from './wireKey.ts';

/**
 * The way in which each kind of content is understood. A kind that is received without its line here does not compile. The
 * first kind that finds itself in a message counts; `unsupported` remains when none does (`content.ts`).
 */
export const understoodKinds = {
  text,
  image,
  video,
  video_note: videoNote,
  audio,
  document,
  sticker,
  sticker_pack: stickerPack,
  album,
  live_location: liveLocation,
  interactive,
  button,
  template,
  product,
  order,
  payment,
  channel_invite: channelInvite,
  call_log: callLog,
  scheduled_call: scheduledCall,
  event_invite: eventInvite,
  poll_result: pollResult,
  history_shared: historyShared,
  ai_message: aiMessage,
  music,
  comment,
  status_notification: statusNotification,
  status_answer: statusAnswer,
  status_quoted: statusQuoted,
  status_sticker: statusSticker,
  scheduled,
  reaction,
  pin,
  keep,
  location,
  contacts,
  poll,
  event,
  group_invite: groupInvite,
  phone_request: phoneRequest,
  phone_shared: phoneShared,
} as const satisfies {
  readonly [Type in Exclude<ContentType, FromNoField> & InboundType]: Understood<BodyOf<Type>>;
};

/**
 * The kinds that stand in no field of a message: what has no form here, what no linked device gets, and what is sealed until
 * the original is known.
 */
type FromNoField = 'unsupported' | 'unavailable' | 'poll_vote' | 'poll_option' | 'event_response';

/** The rows without what the compiler cannot follow: that a kind and its content belong together. */
const rows = Object.entries(understoodKinds as Readonly<Record<string, Understood<unknown>>>);

/** What one message says by itself, in one of our kinds. */
export interface OwnContent {
  readonly content: InboundContent;
  readonly context?: MessageContext;
  readonly original?: Original;
  /** What is needed to fetch its files, which no tenant sees. */
  readonly files?: readonly MediaFile[];
}

/** The content in the fields of one message, if one of our kinds is in them. */
export function fromWire(parts: Level['parts'], info: MessageInfo): OwnContent | 'nothing' | 'malformed' {
  for (const [type, { fields, fromWire: read, context: numbers, original, files }] of rows) {
    const present = fields.filter((field) => parts.has(field));
    if (present.length === 0) continue;
    const body = read(parts, info);
    if (body === 'malformed') return body;
    if (body === 'nothing') continue;
    const around = numbers === undefined ? undefined : contextIn(parts, present, numbers);
    const about = original?.(parts, info);
    const found = files?.(parts, info) ?? [];
    return {
      content: { type, [type]: body } as unknown as InboundContent,
      ...(around === undefined ? {} : { context: around }),
      ...(about === undefined ? {} : { original: about }),
      ...(found.length === 0 ? {} : { files: found }),
    };
  }
  return 'nothing';
}

/** The context of the first field that has one; undefined where it says nothing. */
function contextIn(
  parts: Level['parts'],
  present: readonly number[],
  numbers: NonNullable<Understood<unknown>['context']>,
): MessageContext | undefined {
  for (const field of present) {
    const number = typeof numbers === 'number' ? numbers : numbers[field];
    if (number === undefined) continue;
    const read = readField(shape({ context: bytesOf(number) }), parts.get(field));
    const context = read === 'malformed' ? {} : readContext(read.context);
    if (Object.keys(context).length > 0) return context;
  }
  return undefined;
}
