import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import type { ContentType } from '../../../../shared/content/content.ts';
import { aboutOf, type Spoken } from '../spokenKind.ts';
import { text } from './text.ts';

type Edit = AskedOf<'edit'>;

const { MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

/** The kinds whose captions can be edited, each as an edit of it says it. */
const captioned: Partial<Readonly<Record<ContentType, (caption: string) => proto.IMessage>>> = {
  image: (caption) => ({ imageMessage: { caption } }),
  video: (caption) => ({ videoMessage: { caption } }),
  document: (caption) => ({ documentMessage: { caption } }),
};

/**
 * An edit in the form that phones of every age read: not sealed with the secret of the original, as those of today write
 * it themselves.
 */
export const edit = {
  toWire: (asked, context) => {
    const { key, type, actedAtMs } = aboutOf(context);
    const editedMessage = toEdited(asked, type, context);
    const protocolMessage = { key, type: MESSAGE_EDIT, editedMessage, timestampMs: actedAtMs };
    return { message: { editedMessage: { message: { protocolMessage } } }, attributes: { edit: '1' } };
  },
} as const satisfies Spoken<Edit>;

function toEdited(asked: Edit, type: ContentType, context: Parameters<typeof text.toWire>[1]): proto.IMessage {
  if (asked.text !== undefined) return text.toWire(asked.text, context).message;
  const toMessage = captioned[type];
  if (toMessage === undefined) throw new Error(`a ${type} has no caption`);
  return toMessage(asked.caption ?? '');
}
