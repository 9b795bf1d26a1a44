import type { AskedAction } from '../../../shared/action/actionKinds.ts';
import type { PasskeyAnswer } from '../../../shared/connection/passkey.ts';
import type { Evidence } from '../../../shared/connection/liveness.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import type { OutboundContent } from '../../../shared/content/content.ts';
import type { Audience, Viewer } from '../../../shared/message/audience.ts';
import type { SentOriginal } from '../../../shared/message/message.ts';
import type { SentContext } from '../../../shared/message/sentContext.ts';
import type { SentFileFacts } from '../../../shared/media/sentFileFacts.ts';
import type { UploadedFile } from '../../../shared/media/uploadedFile.ts';
import type { PartOf } from '../../../shared/content/partOf.ts';
import type { StatusLook } from '../../../shared/message/statusLook.ts';
import type { ActionOutcome } from './actionOutcome.ts';
import type { FileRequest } from './fileRequest.ts';

/** The linked WhatsApp account, addresses without device. */
export interface LinkedAccount {
  readonly phoneJid: string;
  readonly lid: string | undefined;
  readonly name: string | undefined;
}

/**
 * The offer to link an account, or what it waits for next. A QR text is shown as a picture; a code is typed into the phone. With a
 * passkey, first its request is to be signed, then WhatsApp and the phone look at the signature, and where the phone shows a
 * code, a person compares it with this one.
 */
export type PairingOffer =
  | { readonly method: 'qr'; readonly qr: string; readonly expiresAtMs: number }
  | { readonly method: 'code'; readonly code: string; readonly phoneNumber: string; readonly expiresAtMs: number }
  | {
      readonly method: 'passkey_required';
      /** The request, as JSON. */
      readonly options: string;
      readonly challenge: string;
      readonly expiresAtMs: number;
    }
  | { readonly method: 'passkey_checking'; readonly expiresAtMs: number }
  | {
      readonly method: 'passkey_confirm';
      readonly code: string;
      readonly challenge: string;
      readonly expiresAtMs: number;
    };

/** The way to link, when a socket is opened for pairing. The number is in digits. */
export type PairingRequest = { readonly method: 'qr' } | { readonly method: 'code'; readonly phoneNumber: string };

/**
 * The facts of a close, without judgement: the code that the library reports, and the name of the node that caused it
 * where there was one (`replaced`, `device_removed`, …); `websocket` where the number is not WhatsApp's. `closeRules`
 * judges, by phase, never by message text.
 */
export interface SocketClose {
  readonly statusCode: number | undefined;
  readonly node: string | undefined;
  /**
   * Whether the socket logged in with stored credentials, also if it was opened for a pairing: the one before had got
   * so far, and had not lived to record it.
   */
  readonly wasLogin?: boolean;
  /** How long this lasts, in milliseconds, where WhatsApp says so: a temporary ban (402). */
  readonly endsInMs?: number;
}

/** The inputs that a socket gives its runner. A late one carries an old generation and is dropped there. */
export type SocketInput =
  | { readonly type: 'pairing_offered'; readonly generation: number; readonly offer: PairingOffer }
  /** The account is linked and its credentials are durable; the socket closes with `restart_required` next. */
  | { readonly type: 'paired'; readonly generation: number; readonly account: LinkedAccount }
  | { readonly type: 'socket_opened'; readonly generation: number; readonly account: LinkedAccount }
  /** The offline queue is drained: from here on messages may be sent (docs/whatsapp.md, "Offline queue"). */
  | { readonly type: 'caught_up'; readonly generation: number }
  | { readonly type: 'socket_closed'; readonly generation: number; readonly close: SocketClose };

/** Small pictures, each a JPEG in base64, by the id of the file that it was made of. */
export type Photos = ReadonlyMap<string, string>;

/** What an action needs beside its request. */
export interface AskedBeside {
  /** The picture that it sets: a JPEG. */
  readonly picture?: Uint8Array;
}

/** The people whom a status is for, as they are kept. */
export interface KeptAudience {
  readonly find: () => Promise<Audience>;
  /** Settles who of them has an account, once: the audience that counts is returned. */
  readonly settle: (viewers: readonly Viewer[]) => Promise<readonly Viewer[]>;
}

/** A file as a message is made of it. */
export type FileOfSend = UploadedFile & {
  /** The name that it has by itself. */
  readonly filename?: string | undefined;
};

/** Where files may be uploaded, and the right to do so, which is a secret of the account. */
export interface MediaHosts {
  /** The names of the hosts, in the order in which they are asked. */
  readonly hosts: readonly string[];
  readonly token: string;
}

export interface SendRequest {
  /** The stanza id, chosen when the message was accepted; a retry uses the same. */
  readonly stanzaId: StanzaId;
  /** The recipient: a phone-number address, a LID, the address of a group or of a channel. */
  readonly to: string;
  readonly content: OutboundContent;
  /** The secret by which others act on it later, in base64url; one is chosen where there is none. */
  readonly secret?: string | undefined;
  /** What it answers, whom it mentions and how long it stays; left out where it does none of that. */
  readonly context?: SentContext | undefined;
  /** The message that it acts on; left out where it stands for itself. */
  readonly original?: SentOriginal | undefined;
  /** The file that it is made of; left out where it is made of none, or where that is not at WhatsApp. */
  readonly file?: FileOfSend | undefined;
  /** The photos of contacts, each a JPEG in base64 by the id of its file; left out where it has none. */
  readonly photos?: Photos | undefined;
  /** The message of ours that it is a part of; left out where it is none. */
  readonly partOf?: PartOf | undefined;
  /** The look of a status, where it has one. */
  readonly look?: StatusLook | undefined;
  /** The people whom a status is for; left out for every other message. */
  readonly audience?: KeptAudience;
  /** Whether it may have been tried before: then the kept message is sent. False when left out. */
  readonly triedBefore?: boolean;
  /**
   * Called before anything leaves for a person with whom the account never talked, once the account behind the address is
   * known; `wait` ends the try. All may be written to where it is left out.
   */
  readonly firstContact?: () => Promise<'go' | 'wait'>;
  /** Called before anything leaves, when WhatsApp names another address than `to`: the message goes there. */
  readonly resolved?: (address: string) => Promise<void>;
  /** Resolves when the result is recorded and published: receipts for this message wait for it, so that they come after. */
  readonly recorded?: Promise<void>;
}

/**
 * The questions to WhatsApp before a message can be sealed: whether a number has an account and which, who is in a
 * group, which devices people have, the keys of devices to which there is no session, and where files may be uploaded. A look-up whose answer is
 * known is not made.
 */
export const lookUps = ['account', 'group', 'devices', 'keys', 'media'] as const;
export type LookUp = (typeof lookUps)[number];

/** The group that a message went to, or the viewers of a status. */
export interface SentToGroup {
  /** How many they are, without the account itself; left out where it went to a person. */
  readonly members?: number | undefined;
  /** Whether the state of the message is to be that of the first member, as the settings say. */
  readonly statusBy?: 'first' | undefined;
}

/** The outcome of a send. Only `acknowledged` means that WhatsApp has the message. */
export type SendOutcome =
  /**
   * WhatsApp has the message; with the other name of the recipient, where it is known. `toSelf`: the account wrote to
   * itself.
   */
  | ({
      readonly outcome: 'acknowledged';
      readonly atMs: number;
      readonly toAlias?: string;
      readonly toSelf?: true;
      /** What was sent, where it was a file. */
      readonly sentFile?: SentFileFacts;
    } & SentToGroup)
  /** WhatsApp answered a look-up with this number, which is final: nothing was sent. */
  | { readonly outcome: 'look_up_refused'; readonly lookUp: LookUp; readonly code: number }
  /** WhatsApp limits a look-up (429), has trouble with it (5xx) or did not answer it (no number): nothing was sent. */
  | { readonly outcome: 'look_up_unanswered'; readonly lookUp: LookUp; readonly code?: number }
  /** WhatsApp refused it with this number, for example 463 or 479. */
  | { readonly outcome: 'refused'; readonly code: number }
  /** The message is to a person with whom the account never talked, and such may not leave now: nothing was sent. */
  | { readonly outcome: 'first_contact_waits' }
  /** The number has no WhatsApp account. */
  | { readonly outcome: 'no_account' }
  /** Nobody whom a status is for has an account that can be reached: nothing was sent. */
  | { readonly outcome: 'no_viewers' }
  /** The message is made of a file, which the request does not have, and was not kept before: nothing was sent. */
  | { readonly outcome: 'file_missing' }
  /** Some of those whom a status is for are looked up, and others are still to be: nothing was sent. */
  | { readonly outcome: 'audience_in_part' }
  /** The message may or may not have left: it is tried again with the same stanza id. */
  | { readonly outcome: 'unknown' };

/** One live WebSocket to WhatsApp. Made by `openSocket`; closed exactly once; a new one has a new generation. */
export interface ConnectionSocket {
  readonly generation: number;
  /** Sends one message and waits for the server's ack. Never rejects for network reasons: that is `unknown`. */
  readonly send: (request: SendRequest) => Promise<SendOutcome>;
  /** The look-ups that a send to this address needs now. It asks nothing of WhatsApp itself. */
  readonly lookUpsFor: (to: string) => Promise<ReadonlySet<LookUp>>;
  /**
   * Asks WhatsApp where files may be uploaded, and for the right to do so; what it said before is used while it holds. Rejects
   * with a `LookUpError`.
   * @param afresh whether WhatsApp does not take what it gave before
   */
  readonly mediaHosts: (afresh: boolean) => Promise<MediaHosts>;
  /**
   * One name of the person or group behind an address, the same for all its known addresses. It asks nothing of
   * WhatsApp.
   */
  readonly chatOf: (to: string) => Promise<string>;
  /**
   * Whether a message to this address is to a person with whom the account never talked, as far as its addresses are known. It
   * asks nothing of WhatsApp.
   */
  readonly isFirstContact: (to: string) => Promise<boolean>;
  /**
   * Asks WhatsApp for an action, once, within the deadline of its kind, if the socket is that account's (its
   * phone-number address). Rejects only for a fault of ours.
   */
  readonly ask: (action: AskedAction, account: string, beside?: AskedBeside) => Promise<ActionOutcome>;
  /**
   * Asks the account's phone to upload a file again that WhatsApp no longer has. It answers when it is online, which `askedFiles` of the
   * options hears. Returns whether the request was written; rejects when it could not be.
   */
  readonly askForFile: (request: FileRequest) => Promise<'asked' | 'not_asked'>;
  /** Gives the tenant's answer to the request for a passkey, which does nothing where none waits for it. Never throws. */
  readonly answerPasskey: (answer: PasskeyAnswer) => void;
  /**
   * Closes the socket and waits until nothing of it is left: listeners, timers, unflushed ratchet steps.
   * `logout` also removes the linked device at WhatsApp. At most 2 s longer than the logout's own deadline.
   */
  readonly close: (kind: 'end' | 'logout') => Promise<void>;
  /**
   * The evidence that it shows of its life.
   * @param nowMonotonicMs the moment to judge it at
   */
  readonly evidence: (nowMonotonicMs: number) => Evidence;
  /** Asks WhatsApp for a sign of life; its answer is a frame. Does nothing while an earlier one is not answered. Never throws. */
  readonly probe: () => void;
}

/** The part of a socket on which messages go out. */
export type SendingSocket = Pick<ConnectionSocket, 'send' | 'lookUpsFor' | 'mediaHosts' | 'chatOf' | 'isFirstContact'>;

/** The part of a socket on which actions are asked for. */
export type AskingSocket = Pick<ConnectionSocket, 'ask'>;

/** The part of a socket on which the phone is asked for files. */
export type FileAskingSocket = Pick<ConnectionSocket, 'askForFile'>;
