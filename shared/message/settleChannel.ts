import type { OutboundContent } from '../content/content.ts';
import { AppError, type FieldProblem } from '../kernel/appError.ts';
import { isChannel } from '../kernel/jid.ts';
import type { Envelope } from './outboundMessage.ts';

/** The types of content that are posted in a channel. */
const channelTypes: ReadonlySet<string> = new Set([
  'text',
  'image',
  'video',
  'video_note',
  'audio',
  'document',
  'sticker',
]);

/** The parts of a request that a post has no room for, with the reason. */
const notInChannels = {
  context: 'a post in a channel answers nothing',
  mentions: 'a post in a channel mentions nobody',
  expires_in: 'a post in a channel does not disappear',
} as const satisfies Partial<Record<keyof Envelope, string>>;

/** The error that refuses a request for a post in a channel; undefined for what may be posted, and for every other message. The function is pure. */
export function refusalOfPost(envelope: Partial<Envelope>, content: OutboundContent, to: string): AppError | undefined {
  if (!isChannel(to)) return undefined;
  const fields: FieldProblem[] = Object.entries(notInChannels).flatMap(([field, problem]) =>
    isAsked(envelope[field as keyof typeof notInChannels]) ? [{ field, problem }] : [],
  );
  const { type } = content;
  if (!channelTypes.has(type)) {
    const problem = `a post in a channel is a text, a picture, a film, a sound, a document or a sticker, and this is of type ${type}`;
    fields.push({ field: 'type', problem });
  }
  const { view_once: once } =
    (content as unknown as Readonly<Record<string, { readonly view_once?: boolean }>>)[type] ?? {};
  if (once === true) fields.push({ field: `${type}.view_once`, problem: 'is not for a channel, where all see it' });
  return fields.length === 0 ? undefined : new AppError('invalid_request', { fields });
}

/** Whether a part of a request asks for anything: clients send some with every message. */
function isAsked(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== 0;
}
