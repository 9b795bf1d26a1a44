import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf, Content, OutboundContent, OutboundType } from '../../../shared/content/content.ts';
import { album } from './kinds/album.ts';
import { audio } from './kinds/audio.ts';
import { button } from './kinds/button.ts';
import { contacts } from './kinds/contacts.ts';
import { document } from './kinds/document.ts';
import { edit } from './kinds/edit.ts';
import { event } from './kinds/event.ts';
import { eventResponse } from './kinds/eventResponse.ts';
import { groupInvite } from './kinds/groupInvite.ts';
import { image } from './kinds/image.ts';
import { interactive } from './kinds/interactive.ts';
import { keep } from './kinds/keep.ts';
import { location } from './kinds/location.ts';
import { phoneRequest } from './kinds/phoneRequest.ts';
import { phoneShared } from './kinds/phoneShared.ts';
import { pin } from './kinds/pin.ts';
import { poll } from './kinds/poll.ts';
import { pollVote } from './kinds/pollVote.ts';
import { reaction } from './kinds/reaction.ts';
import { revoke } from './kinds/revoke.ts';
import { sticker } from './kinds/sticker.ts';
import { stickerPack } from './kinds/stickerPack.ts';
import { text } from './kinds/text.ts';
import { video } from './kinds/video.ts';
import { videoNote } from './kinds/videoNote.ts';
import type { Spoken, WireContext, WireMessage } from './spokenKind.ts';

/** The way in which each kind of content is spoken. A kind that can be sent without its line here does not compile. */
export const spokenKinds = {
  text,
  image,
  video,
  video_note: videoNote,
  audio,
  document,
  sticker,
  sticker_pack: stickerPack,
  album,
  location,
  contacts,
  poll,
  event,
  group_invite: groupInvite,
  phone_request: phoneRequest,
  phone_shared: phoneShared,
  interactive,
  button,
  reaction,
  edit,
  revoke,
  pin,
  keep,
  poll_vote: pollVote,
  event_response: eventResponse,
} as const satisfies { readonly [Type in OutboundType]: Spoken<AskedOf<Type>> };

/** The rows without what the compiler cannot follow: that a kind and its content belong together. */
const rows = spokenKinds as unknown as Readonly<Record<string, Spoken<unknown>>>;

/** The wire message of a content. */
export async function toWire(content: OutboundContent, context: WireContext): Promise<WireMessage> {
  const spoken = rows[content.type]?.toWire;
  if (spoken === undefined) throw new Error(`nobody knows how to send a ${content.type}`);
  return spoken(bodyOf(content), context);
}

/** A content as a message that quotes it shows it; undefined where only its words can be quoted. */
export function toQuoted(content: Content | OutboundContent): proto.IMessage | undefined {
  return Object.hasOwn(rows, content.type) ? rows[content.type]?.toQuoted?.(bodyOf(content)) : undefined;
}

function bodyOf(content: Content | OutboundContent): unknown {
  return (content as unknown as Readonly<Record<string, unknown>>)[content.type];
}
