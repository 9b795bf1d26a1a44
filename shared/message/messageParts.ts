import { z } from 'zod';
import type { ContentType } from '../content/content.ts';
import type { MessageId } from '../kernel/id.ts';

/**
 * Messages that are parts of another one: WhatsApp brings a picture of an album, the same picture in a better quality, and
 * the film of a photo each as a message of its own. Each is kept as one, so that it is answered, edited and taken back
 * like any other; the message that it belongs to names it.
 */
export interface KeptPart {
  readonly messageId: MessageId;
  readonly stanzaId: string;
  readonly kind: string;
  readonly type: ContentType;
}

/** The most parts of a message; a phone puts a hundred into an album. What is more stands alone. */
export const MOST_PARTS = 100;

interface Rule {
  /** The types of a message that may have parts of the kind, and of those parts. */
  readonly of: ReadonlySet<string>;
  readonly parts: ReadonlySet<string>;
}
const types = (...names: readonly ContentType[]): ReadonlySet<string> => new Set(names);

const rules: Readonly<Record<string, Rule>> = {
  album: { of: types('album'), parts: types('image', 'video') },
  hd: { of: types('image', 'video'), parts: types('image', 'video') },
  motion_photo: { of: types('image'), parts: types('video') },
  event_cover_image: { of: types('event'), parts: types('image') },
};

/** Whether parts of a kind belong to another message; all other kinds stand alone. */
export function isFolded(kind: string): boolean {
  return Object.hasOwn(rules, kind);
}

/**
 * Whether a message may have a part. What is a part itself has none, but for a picture of an album, which has its twin: so
 * parts are never nested deeper, and never in a circle, whatever their writers say.
 */
export function mayHold(
  { content, partOf }: { readonly content: { readonly type: string } } & PartOfMessage,
  { kind, type }: Pick<KeptPart, 'kind' | 'type'>,
): boolean {
  const rule = Object.hasOwn(rules, kind) ? rules[kind] : undefined;
  if (rule === undefined || !rule.of.has(content.type) || !rule.parts.has(type)) return false;
  return partOf === undefined || partOf.kind === 'album' || partOf.kind === LESSER;
}

/** The kind of a picture or film that has come after the same one in a better quality, and is a part of that. */
export const LESSER = 'sd';

/** Whether a part of a kind is as good as the message that it belongs to, so that whichever of the two comes first is the message. */
export function mayComeFirst(kind: string): boolean {
  return kind === 'hd';
}
interface PartOfMessage {
  readonly partOf?: { readonly kind: string } | undefined;
}

/** The parts with one more; undefined where there is no room. One that is there already stays where it is. */
export function withPart(parts: readonly KeptPart[], part: KeptPart): readonly KeptPart[] | undefined {
  if (parts.some(({ messageId }) => messageId === part.messageId)) return parts;
  return parts.length >= MOST_PARTS ? undefined : [...parts, part];
}

/** The parts of a message. */
export function partsOf({ parts }: { readonly parts?: readonly KeptPart[] | undefined }): readonly KeptPart[] {
  return parts ?? [];
}

/** A part as the API and events show it. */
export const shownPartsSchema = z.array(z.object({ messageId: z.string(), kind: z.string(), type: z.string() })).meta({
  description: 'The messages that are parts of this one, in the order in which they came: `GET …/messages/{id}/parts`.',
  example: [{ messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', kind: 'album', type: 'image' }],
});
export type ShownParts = z.infer<typeof shownPartsSchema>;

export function toShownParts(parts: readonly KeptPart[]): ShownParts {
  return parts.map(({ messageId, kind, type }) => ({ messageId, kind, type }));
}
