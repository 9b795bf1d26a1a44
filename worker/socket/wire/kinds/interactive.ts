import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { toNumberedText, toPollParts } from '../../../../shared/content/interactiveFallback.ts';
import { isChoice, type InteractiveChoice } from '../../../../shared/content/interactiveRequest.ts';
import type { Spoken } from '../spokenKind.ts';
import { toPollMessage } from './poll.ts';
import { text } from './text.ts';

/**
 * WhatsApp shows no buttons and no lists from a linked device. What was accepted said how it is sent instead. What somebody
 * else offers can be chosen: the answer quotes that message.
 */
export const interactive = {
  toWire: (asked, context) => {
    if (isChoice(asked)) return { message: toChoice(asked, context.contextInfo) };
    if (asked.fallback !== 'poll') return text.toWire({ body: toNumberedText(asked) }, context);
    const { name, options } = toPollParts(asked);
    return toPollMessage({ name, options: [...options] }, context.contextInfo);
  },
  // One that was received has another form.
  toQuoted: (asked) =>
    isChoice(asked) || asked.fallback === undefined ? undefined : { conversation: toNumberedText(asked) },
} as const satisfies Spoken<AskedOf<'interactive'>>;

const { DISPLAY_TEXT } = proto.Message.ButtonsResponseMessage.Type;
const { SINGLE_SELECT } = proto.Message.ListResponseMessage.ListType;

function toChoice(asked: InteractiveChoice, contextInfo: proto.IContextInfo | undefined): proto.IMessage {
  const context = contextInfo === undefined ? {} : { contextInfo };
  if (asked.type === 'button_reply') {
    const { id, title } = asked.button_reply;
    return {
      buttonsResponseMessage: {
        selectedButtonId: id,
        selectedDisplayText: title,
        type: DISPLAY_TEXT,
        ...context,
      },
    };
  }
  const { id, title, description } = asked.list_reply;
  return {
    listResponseMessage: {
      title,
      listType: SINGLE_SELECT,
      singleSelectReply: { selectedRowId: id },
      ...(description === undefined ? {} : { description }),
      ...context,
    },
  };
}
