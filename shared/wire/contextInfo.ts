import type { MessageContext, Referral } from '../content/messageContext.ts';
import { STATUS, withoutDevice } from '../kernel/jid.ts';
import { flag, integer, part, parts, readField, shape, text, texts, type Read } from './shape.ts';

const advertisement = shape({
  title: text(1),
  body: text(2),
  mediaType: integer(3),
  thumbnailUrl: text(4),
  mediaUrl: text(5),
  sourceType: text(7),
  sourceId: text(8),
  sourceUrl: text(9),
  clickId: text(13),
  ref: text(14),
  originalImageUrl: text(22),
});
const groupMention = shape({ id: text(1), subject: text(2) });

/** The circumstances that most kinds of message carry: `ContextInfo`. */
const contextInfo = shape({
  stanzaId: text(1),
  participant: text(2),
  chat: text(4),
  mentioned: texts(15),
  forwardingScore: integer(21),
  isForwarded: flag(22),
  expiration: integer(25),
  advertisement: part(28, advertisement),
  groupMentions: parts(40, groupMention),
  nonJidMentions: integer(70),
});

/** The sum of the ways in which a context mentions people who are not named one by one: everybody. */
const EVERYBODY = 1;

/**
 * Reads the context of a message. Nonsense says nothing: the message around it is shown all the same.
 * @param found all that stands under the number of the context
 */
export function readContext(found: readonly Uint8Array[] | undefined): MessageContext {
  if (found === undefined) return {};
  const read = readField(contextInfo, found);
  if (read === 'malformed') return {};
  const { stanzaId, participant, chat, mentioned = [], groupMentions = [], expiration = 0 } = read;
  const forwarded = Math.max(read.forwardingScore ?? 0, read.isForwarded === true ? 1 : 0);
  const referral = toReferral(read.advertisement);
  const groups = groupMentions.flatMap(({ id, subject }) =>
    id === undefined ? [] : [{ id, ...(subject === undefined ? {} : { subject }) }],
  );
  return {
    ...(stanzaId === undefined
      ? {}
      : {
          replyTo: {
            stanzaId,
            ...(participant === undefined ? {} : { sender: withoutDevice(participant) }),
            ...(chat === STATUS ? { inStatus: true } : {}),
          },
        }),
    ...(mentioned.length === 0 ? {} : { mentions: mentioned.map(withoutDevice) }),
    ...(((read.nonJidMentions ?? 0) & EVERYBODY) === 0 ? {} : { mentionsEveryone: true }),
    ...(groups.length === 0 ? {} : { groupMentions: groups }),
    ...(forwarded === 0 ? {} : { forwarded }),
    ...(expiration === 0 ? {} : { expiresIn: expiration }),
    ...(referral === undefined ? {} : { referral }),
  };
}

const VIDEO = 2;

/** Only what came with the id of a click is an advertisement: a preview of a link has the same form. */
function toReferral(read: Read<typeof advertisement> | undefined): Referral | undefined {
  if (read === undefined || (read.clickId === undefined && read.sourceType !== 'ad')) return undefined;
  const picture = read.originalImageUrl ?? read.mediaUrl;
  const told = {
    source_url: read.sourceUrl,
    source_id: read.sourceId,
    source_type: read.sourceType,
    headline: read.title,
    body: read.body,
    image_url: read.mediaType === VIDEO ? undefined : picture,
    video_url: read.mediaType === VIDEO ? read.mediaUrl : undefined,
    thumbnail_url: read.thumbnailUrl,
    ctwa_clid: read.clickId,
    ref: read.ref,
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as Referral;
}
