import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Emitter, Scope } from '../../../shared/kernel/scope.ts';
import type { AppState } from '../appState/appState.ts';
import type { PhoneFiles } from '../files/phoneFiles.ts';
import type { KnownPeople } from '../people/knownPeople.ts';
import type { Acknowledgements } from '../sending/acknowledgements.ts';
import type { DurableRepository } from '../signal/durableRepository.ts';
import type { AppliedSettings } from './appliedSettings.ts';
import type { Fate, InboundOrder } from './inboundOrder.ts';
import { hearNotice, type NoticesParts } from './notices.ts';
import type { Placeholders } from './placeholders.ts';
import type { PublishedMessages } from './publishedMessages.ts';
import type { Receipts } from './receipts.ts';
import type { Retries } from './retries.ts';

/** The tags of the stanzas that we work on. All others are Baileys' own business. */
export type StanzaTag = 'message' | 'receipt' | 'notification' | 'call' | 'ack';

/** Handles a stanza in its turn, before Baileys sees it; or at once, beside Baileys. */
export type StanzaHandler =
  { readonly inTurn: (stanza: BinaryNode) => Promise<Fate> } | { readonly atOnce: (stanza: BinaryNode) => void };

export type StanzaHandlers = Readonly<Record<StanzaTag, StanzaHandler>>;

export interface StanzaHandlersParts {
  readonly repository: Pick<DurableRepository, 'noteMessage'>;
  readonly messages: Pick<PublishedMessages, 'publishPost' | 'publishUnopened'>;
  readonly retries: Pick<Retries, 'onMessage' | 'members'>;
  readonly placeholders: Pick<Placeholders, 'take'>;
  readonly receipts: Pick<Receipts, 'onReceipt'>;
  readonly people: Pick<KnownPeople, 'welcomeNewSession' | 'isMe'>;
  readonly settings: Pick<AppliedSettings, 'onCall'>;
  readonly appState: Pick<AppState, 'notice'>;
  readonly files: Pick<PhoneFiles, 'hear'>;
  readonly publish: NoticesParts['publish'];
  readonly acknowledgements: Pick<Acknowledgements, 'arrive'>;
  /** The pairing, which takes the notices that are meant for it; an account that is not linked yet gets no others. */
  readonly pairing: { readonly onNotification: (stanza: BinaryNode) => Promise<Fate> } | undefined;
}

/** Makes the handlers of the stanzas of one socket, by tag. */
export function makeStanzaHandlers(parts: StanzaHandlersParts): StanzaHandlers {
  const { repository, messages, retries, placeholders, receipts, settings, acknowledgements, pairing } = parts;
  const { members } = retries;
  return {
    message: {
      inTurn: async (stanza) => {
        repository.noteMessage(stanza);
        await messages.publishPost(stanza);
        await messages.publishUnopened(stanza);
        retries.onMessage(stanza);
        return placeholders.take(stanza);
      },
    },
    receipt: { inTurn: (stanza) => receipts.onReceipt(stanza) },
    notification: {
      inTurn: (stanza) =>
        pairing === undefined ? hearNotice(stanza, { ...parts, members }) : pairing.onNotification(stanza),
    },
    call: { inTurn: (stanza) => settings.onCall(stanza) },
    // Work that holds the turn may wait for an ack, so an ack itself takes no turn.
    ack: { atOnce: ({ attrs }) => acknowledgements.arrive(attrs['id'] ?? '', attrs['error']) },
  };
}

/** The events by which Baileys' WebSocket announces each tag. */
const EVENTS: Readonly<Record<StanzaTag, string>> = {
  message: 'CB:message',
  receipt: 'CB:receipt',
  notification: 'CB:notification',
  call: 'CB:call',
  ack: 'CB:ack,class:message',
};

/** Puts the handlers between WhatsApp and Baileys. @param stanzas the emitter of Baileys' WebSocket */
export function listenForStanzas(
  handlers: StanzaHandlers,
  { order, scope, stanzas }: { readonly order: InboundOrder; readonly scope: Scope; readonly stanzas: Emitter },
): void {
  for (const tag of Object.keys(EVENTS) as StanzaTag[]) {
    const handler = handlers[tag];
    if ('inTurn' in handler) order.insertBefore(EVENTS[tag], handler.inTurn);
    else scope.listen(stanzas, EVENTS[tag], handler.atOnce);
  }
}
