import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { aboutOf, sealedFor, type Spoken } from '../spokenKind.ts';

type Answer = AskedOf<'event_response'>;

const { GOING, MAYBE, NOT_GOING } = proto.Message.EventResponseMessage.EventResponseType;
const responses: Partial<Readonly<Record<Answer['response'], number>>> = {
  going: GOING,
  maybe: MAYBE,
  not_going: NOT_GOING,
};

/** WhatsApp's clients say beside an answer that it is one. */
const RESPONSE_NODE = { tag: 'meta', attrs: { event_type: 'response' } } as const;

export const eventResponse = {
  toWire: ({ response, extra_guests: extraGuestCount }, context) => {
    const about = aboutOf(context);
    const answer = proto.Message.EventResponseMessage.encode({
      response: responses[response] ?? GOING,
      timestampMs: about.actedAtMs,
      ...(extraGuestCount === undefined ? {} : { extraGuestCount }),
    });
    return {
      message: {
        encEventResponseMessage: {
          eventCreationMessageKey: about.key,
          ...sealedFor(about, 'event_response', answer.finish()),
        },
      },
      // Baileys knows by the field what type a stanza has, and takes this one for a text.
      attributes: { type: 'event' },
      nodes: [RESPONSE_NODE],
    };
  },
} as const satisfies Spoken<Answer>;
