import type { AnyContentKind } from './contentKind.ts';
import { aiMessage } from './kinds/aiMessage.ts';
import { album } from './kinds/album.ts';
import { audio } from './kinds/audio.ts';
import { button } from './kinds/button.ts';
import { callLog } from './kinds/callLog.ts';
import { channelInvite } from './kinds/channelInvite.ts';
import { comment } from './kinds/comment.ts';
import { document } from './kinds/document.ts';
import { edit } from './kinds/edit.ts';
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
import { eventResponse } from './kinds/eventResponse.ts';
import { pollOption } from './kinds/pollOption.ts';
import { pollVote } from './kinds/pollVote.ts';
import { revoke } from './kinds/revoke.ts';
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
import { unavailable } from './kinds/unavailable.ts';
import { unsupported } from './kinds/unsupported.ts';
import { video } from './kinds/video.ts';
import { videoNote } from './kinds/videoNote.ts';

/**
 * Every kind of content. A new one is a file in `kinds` and a line here, a file and a line in `shared/wire` if it is received,
 * and in `worker/socket/wire` if it is sent: request, stored row, view, events and document follow from it.
 */
export const contentKinds = {
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
  location,
  contacts,
  poll,
  event,
  group_invite: groupInvite,
  phone_request: phoneRequest,
  phone_shared: phoneShared,
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
  edit,
  revoke,
  pin,
  keep,
  poll_vote: pollVote,
  poll_option: pollOption,
  event_response: eventResponse,
  unavailable,
  unsupported,
} as const satisfies Readonly<Record<string, AnyContentKind>>;
