import { proto } from '@whiskeysockets/baileys';
import { inboundTypes, type InboundType, type OutboundContent } from '../../shared/content/content.ts';
import type { AnyContentKind } from '../../shared/content/contentKind.ts';
import { contentKinds } from '../../shared/content/contentKinds.ts';
import { hashOfOption } from '../../shared/wire/openedKinds.ts';
import type { SealUse } from '../../shared/wire/sealed.ts';
import { toWire } from '../../worker/socket/wire/spokenKinds.ts';
import { field, toldOf, type Golden } from '../shared/wire/golden.ts';
import { fileMessages } from '../shared/wire/kinds/fileMessages.ts';
import { choices, offers } from '../shared/wire/kinds/interactiveMessages.ts';
import { meetings, talk, trade } from '../shared/wire/kinds/otherMessages.ts';
import { sealWith } from '../shared/wire/sealing.ts';
import type { StanzaJson } from '../whatsapp/rawRoutes.ts';

/** A message of one kind as a phone writes it, and what is told of it. */
export type Written = { readonly told: object } & (
  { readonly plaintext: Uint8Array } | { readonly stanza: StanzaJson }
);

/** The id of the stanza that brings a message of a kind. */
export const idOf = (type: InboundType): string => `KIND-${type}`;

const rows: Readonly<Record<string, AnyContentKind>> = contentKinds;
const SECRET = Buffer.alloc(32, 9);
const UNKNOWN_FIELD = 300;
const { ADD_OPTION } = { ADD_OPTION: 5 };
const encoded = (message: proto.IMessage): Uint8Array => proto.Message.encode(message).finish();
const withSecret = (message: proto.IMessage): Uint8Array =>
  encoded({ ...message, messageContextInfo: { messageSecret: SECRET } });

/**
 * A message of every kind that arrives, from one writer to another, in the order in which they are written: what is about
 * another message comes behind that.
 * @param writer the address of the writer, as the account knows it
 */
export async function everyKindFrom(writer: string): Promise<ReadonlyMap<InboundType, Written>> {
  const written = new Map<InboundType, Written>();
  for (const type of inboundTypes) {
    const golden = goldens.get(type) ?? sealedOrAbout(writer).get(type);
    written.set(type, golden ?? (await spoken(type)));
  }
  const behind = [...sealedOrAbout(writer).keys()];
  return new Map([...written].toSorted(([one], [other]) => behind.indexOf(one) - behind.indexOf(other)));
}

/** The first golden message of each kind that has any. */
const goldens: ReadonlyMap<InboundType, Written> = new Map(
  [...fileMessages, ...offers, ...choices, ...trade, ...meetings, ...talk].toReversed().flatMap((golden) => {
    const content = toldOf(golden[1])?.content;
    return content === undefined ? [] : [[content.type, { plaintext: bytesOf(golden[1]), told: content }] as const];
  }),
);

function bytesOf(message: Golden[1]): Uint8Array {
  return message instanceof Uint8Array ? message : encoded(message);
}

/** A kind that goes both ways, as it is sent. */
async function spoken(type: InboundType): Promise<Written> {
  const told = { type, [type]: rows[type]?.example };
  const { message } = await toWire(told as unknown as OutboundContent, { chat: '1@s.whatsapp.net' });
  return { plaintext: type === 'poll' || type === 'event' ? withSecret(message) : encoded(message), told };
}

/** The kinds that are about another message, sealed or not, and those that nobody can read. */
function sealedOrAbout(writer: string): ReadonlyMap<InboundType, Written> {
  const keyOf = (type: InboundType): proto.IMessageKey => ({ remoteJid: writer, fromMe: true, id: idOf(type) });
  const sealed = (use: SealUse, about: InboundType, bytes: Uint8Array) =>
    sealWith(use, { secret: SECRET, stanzaId: idOf(about) }, { author: writer, actor: writer }, bytes);
  const rice = proto.Message.PollVoteMessage.encode({ selectedOptions: [Buffer.from(hashOfOption('Rice'), 'hex')] });
  const fish = field(1, field(1, 'Fish'));
  const going = proto.Message.EventResponseMessage.encode({ response: 1 });
  const plain = (message: proto.IMessage, told: object): Written => ({ plaintext: encoded(message), told });
  return new Map<InboundType, Written>([
    [
      'reaction',
      plain(
        { reactionMessage: { key: keyOf('text'), text: '👍' } },
        { type: 'reaction', reaction: { message_id: expectedId, emoji: '👍' } },
      ),
    ],
    [
      'pin',
      plain(
        { pinInChatMessage: { key: keyOf('text'), type: 1 } },
        { type: 'pin', pin: { message_id: expectedId, type: 'pin' } },
      ),
    ],
    [
      'keep',
      plain(
        { keepInChatMessage: { key: keyOf('text'), keepType: 1 } },
        { type: 'keep', keep: { message_id: expectedId, type: 'keep' } },
      ),
    ],
    [
      'poll_vote',
      plain(
        { pollUpdateMessage: { pollCreationMessageKey: keyOf('poll'), vote: sealed('vote', 'poll', rice.finish()) } },
        { type: 'poll_vote', poll_vote: { message_id: expectedId, options: ['Rice'], voters: 1 } },
      ),
    ],
    [
      'poll_option',
      plain(
        {
          secretEncryptedMessage: {
            targetMessageKey: keyOf('poll'),
            ...sealed('poll_add_option', 'poll', fish),
            secretEncType: ADD_OPTION as proto.Message.SecretEncryptedMessage.SecretEncType,
          },
        },
        { type: 'poll_option', poll_option: { message_id: expectedId, options: ['Fish'] } },
      ),
    ],
    [
      'event_response',
      plain(
        {
          encEventResponseMessage: {
            eventCreationMessageKey: keyOf('event'),
            ...sealed('event_response', 'event', going.finish()),
          },
        },
        { type: 'event_response', event_response: { message_id: expectedId, response: 'going' } },
      ),
    ],
    [
      'unavailable',
      {
        stanza: {
          tag: 'message',
          attrs: { id: idOf('unavailable'), type: 'text' },
          content: [{ tag: 'unavailable', attrs: { type: 'view_once_unavailable_fanout' } }],
        },
        told: { type: 'unavailable', unavailable: { reason: 'view_once' } },
      },
    ],
    [
      'unsupported',
      {
        plaintext: field(UNKNOWN_FIELD, 'what nobody knows yet'),
        told: { type: 'unsupported', unsupported: { kind: `field_${UNKNOWN_FIELD}`, fields: [UNKNOWN_FIELD] } },
      },
    ],
  ]);
}

/** Stands where our id of the message that is named comes to stand. */
export const expectedId = '#';
