import type { OutboundContent } from '../content/content.ts';
import { makeSentIds } from '../kernel/sentIds.ts';
import type { Random } from '../kernel/random.ts';
import type { SentMessage } from './message.ts';
import type { KeptPart } from './messageParts.ts';
import { windowOf } from './windowNotes.ts';

/** The length of the secret of a message, in bytes: WhatsApp's own. */
const SECRET_BYTES = 32;

/** The rows of an album: that of its beginning, which names its parts, and one for each part, which names the album. */
export interface AlbumRows {
  readonly beginning: SentMessage;
  readonly parts: readonly SentMessage[];
}

/**
 * When the beginning of an album counts as accepted, in milliseconds since 1970: its parts have the milliseconds after that, so that they keep their order
 * wherever messages are listed, and all of them are in one window, whose note leads to them.
 */
export function albumTime(nowMs: number, parts: number): number {
  return windowOf(nowMs - parts) === windowOf(nowMs) ? nowMs - parts : nowMs;
}

/** Makes the rows of an album. What the request says of its beginning alone, such as what it answers, no part says. */
export function albumRows(beginning: SentMessage, contents: readonly OutboundContent[], random: Random): AlbumRows {
  const { connectionId, stanzaId, messageId, createdAtMs, context } = beginning;
  const { replyTo: _replyTo, ...kept } = context ?? {};
  const { context: _context, ...common } = beginning;
  const parts = contents.map((content, place): SentMessage => ({
    ...common,
    ...makeSentIds(connectionId, createdAtMs + place + 1, random),
    ...(Object.keys(kept).length === 0 ? {} : { context: kept }),
    content,
    secret: Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url'),
    createdAtMs: createdAtMs + place + 1,
    partOf: { kind: 'album', stanzaId, messageId },
    foldedInto: messageId,
  }));
  const kinds = parts.map(({ messageId: id, stanzaId: stanza, content }): KeptPart => ({
    messageId: id,
    stanzaId: stanza,
    kind: 'album',
    type: content.type,
  }));
  return { beginning: { ...beginning, parts: kinds }, parts };
}
