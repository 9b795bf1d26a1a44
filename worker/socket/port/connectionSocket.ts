import type { AskedAction } from '../../../shared/action/actionKinds.ts';
import type { Evidence } from '../../../shared/connection/liveness.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import type { OutboundContent } from '../../../shared/content/content.ts';
import type { ActionOutcome } from './actionOutcome.ts';

/** The linked WhatsApp account, addresses without device. */
export interface LinkedAccount {
  readonly phoneJid: string;
  readonly lid: string | undefined;
  readonly name: string | undefined;
}

/** What is shown to link an account. A QR text is shown as a picture; a code is typed into the phone. */
export type PairingOffer =
  | { readonly method: 'qr'; readonly qr: string; readonly expiresAtMs: number }
  | { readonly method: 'code'; readonly code: string; readonly phoneNumber: string; readonly expiresAtMs: number };

/** How to link, when a socket is opened for pairing. The number is in digits. */
export type PairingRequest = { readonly method: 'qr' } | { readonly method: 'code'; readonly phoneNumber: string };

/**
 * Why a socket closed, in facts and not in a judgement: the code that the library reports, and the name of the node that
 * caused it where there was one (`replaced`, `device_removed`, …); `websocket` where the number is not WhatsApp's. `closeRules` judges, by phase, never by message text.
 */
export interface SocketClose {
  readonly statusCode: number | undefined;
  readonly node: string | undefined;
  /**
   * It logged in with stored credentials, also if it was opened for a pairing: the one before had got so far, and had not
   * lived to say so.
   */
  readonly wasLogin?: boolean;
  /** How long WhatsApp says that this lasts, where it says so: a temporary ban (402). */
  readonly endsInMs?: number;
}

/** What a socket says to its runner. A late one carries an old generation and is dropped there. */
export type SocketInput =
  | { readonly type: 'pairing_offered'; readonly generation: number; readonly offer: PairingOffer }
  /** The account is linked and its credentials are durable; the socket closes with `restart_required` next. */
  | { readonly type: 'paired'; readonly generation: number; readonly account: LinkedAccount }
  | { readonly type: 'socket_opened'; readonly generation: number; readonly account: LinkedAccount }
  /** The offline queue is drained: from here on messages may be sent (docs/whatsapp.md, "Offline queue"). */
  | { readonly type: 'caught_up'; readonly generation: number }
  | { readonly type: 'socket_closed'; readonly generation: number; readonly close: SocketClose };

export interface SendRequest {
  /** Chosen when the message was accepted; a retry uses the same. */
  readonly stanzaId: StanzaId;
  /** A phone-number address, LID or group address. */
  readonly to: string;
  readonly content: OutboundContent;
  /** It may have been tried before: then what was kept of it is sent. False if left out. */
  readonly triedBefore?: boolean;
  /** Told before anything leaves, when WhatsApp names another address than `to`: the message goes there. */
  readonly resolved?: (address: string) => Promise<void>;
  /** Resolves when the result is recorded and published: receipts for this message wait for it, so that they come after. */
  readonly recorded?: Promise<void>;
}

/**
 * What WhatsApp is asked before a message can be sealed: whether a number has an account and which, who is in a group, which
 * devices people have, and the keys of devices to which there is no session. What is known already is not asked for.
 */
export const lookUps = ['account', 'group', 'devices', 'keys'] as const;
export type LookUp = (typeof lookUps)[number];

/** What became of a send. Only `acknowledged` means that WhatsApp has the message. */
export type SendOutcome =
  /** With the other name of the recipient, where it is known. `toSelf`: the account wrote to itself. */
  | { readonly outcome: 'acknowledged'; readonly atMs: number; readonly toAlias?: string; readonly toSelf?: true }
  /** WhatsApp answered a look-up with this number, which is final: nothing was sent. */
  | { readonly outcome: 'look_up_refused'; readonly lookUp: LookUp; readonly code: number }
  /** WhatsApp limits a look-up (429), has trouble with it (5xx) or did not answer it (no number): nothing was sent. */
  | { readonly outcome: 'look_up_unanswered'; readonly lookUp: LookUp; readonly code?: number }
  /** WhatsApp refused it with this number, for example 463 or 479. */
  | { readonly outcome: 'refused'; readonly code: number }
  /** The number has no WhatsApp account. */
  | { readonly outcome: 'no_account' }
  /** It may or may not have left: try again with the same stanza id. */
  | { readonly outcome: 'unknown' };

/** One live WebSocket to WhatsApp. Made by `openSocket`; closed exactly once; a new one has a new generation. */
export interface ConnectionSocket {
  readonly generation: number;
  /** Sends one message and waits for the server's ack. Never rejects for network reasons: that is `unknown`. */
  readonly send: (request: SendRequest) => Promise<SendOutcome>;
  /** What WhatsApp would have to be asked to send to this address now. Asks nothing itself. */
  readonly lookUpsFor: (to: string) => Promise<ReadonlySet<LookUp>>;
  /** One name of the person or group behind an address, the same for all its addresses that are known. Asks nothing. */
  readonly chatOf: (to: string) => Promise<string>;
  /** Asks WhatsApp for an action, once, within the deadline of its kind. Rejects for nothing but what is our own fault. */
  readonly ask: (action: AskedAction) => Promise<ActionOutcome>;
  /**
   * Closes the socket and waits until nothing of it is left: listeners, timers, unflushed ratchet steps.
   * `logout` also removes the linked device at WhatsApp. At most 2 s longer than the logout's own deadline.
   */
  readonly close: (kind: 'end' | 'logout') => Promise<void>;
  /** What it shows of its life. @param nowMonotonicMs the moment to judge it at */
  readonly evidence: (nowMonotonicMs: number) => Evidence;
  /** Asks WhatsApp for a sign of life; its answer is a frame. Does nothing while an earlier one is not answered. Never throws. */
  readonly probe: () => void;
}

/** A socket as far as messages go out on it. */
export type SendingSocket = Pick<ConnectionSocket, 'send' | 'lookUpsFor' | 'chatOf'>;

/** A socket as far as WhatsApp is asked for something else. */
export type AskingSocket = Pick<ConnectionSocket, 'ask'>;
