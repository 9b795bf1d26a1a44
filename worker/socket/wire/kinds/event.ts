import type { proto } from '@whiskeysockets/baileys';
import type { BodyOf } from '../../../../shared/content/content.ts';
import { toSeconds } from '../seconds.ts';
import type { Spoken } from '../spokenKind.ts';

type Event = BodyOf<'event'>;

/** WhatsApp drops an event whose stanza does not say that it is one. */
const EVENT_NODE = { tag: 'meta', attrs: { event_type: 'creation' } } as const;

function toEvent(asked: Event): proto.Message.IEventMessage {
  const { description, location: place, starts_at: start, ends_at: end, call_link: link } = asked;
  return {
    name: asked.name,
    isCanceled: asked.canceled === true,
    ...(description === undefined ? {} : { description }),
    ...(place === undefined ? {} : { location: toPlace(place) }),
    ...(link === undefined ? {} : { joinLink: link }),
    ...(start === undefined ? {} : { startTime: toSeconds(start) }),
    ...(end === undefined ? {} : { endTime: toSeconds(end) }),
    ...(asked.extra_guests === undefined ? {} : { extraGuestsAllowed: true }),
  };
}

function toPlace({
  name,
  address,
  latitude,
  longitude,
}: NonNullable<Event['location']>): proto.Message.ILocationMessage {
  return {
    ...(name === undefined ? {} : { name }),
    ...(address === undefined ? {} : { address }),
    ...(latitude === undefined ? {} : { degreesLatitude: latitude }),
    ...(longitude === undefined ? {} : { degreesLongitude: longitude }),
  };
}

export const event = {
  toWire: (asked, { contextInfo }) => ({
    message: { eventMessage: { ...toEvent(asked), ...(contextInfo === undefined ? {} : { contextInfo }) } },
    nodes: [EVENT_NODE],
  }),
  toQuoted: (body) => ({ eventMessage: toEvent(body) }),
} as const satisfies Spoken<Event>;
