import type { proto } from '@whiskeysockets/baileys';
import type { ContentType } from '../../../shared/content/content.ts';
import type { StatusLook } from '../../../shared/message/statusLook.ts';
import type { Sealed, SealUse } from '../../../shared/wire/sealed.ts';

import type { FileOfSend, Photos } from '../port/connectionSocket.ts';

/** A message as it leaves: the part that is sealed, and the parts around it in its stanza. */
export interface WireMessage {
  readonly message: proto.IMessage;
  /** Further attributes of the stanza, such as `edit`. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Further children of the stanza, which have attributes alone, such as the `meta` of a poll. */
  readonly nodes?: readonly { readonly tag: string; readonly attrs: Readonly<Record<string, string>> }[];
}

/** The context that a kind may need beside the content; each part is called when it is needed. */
export interface WireContext {
  /** The chat that it goes to: the address that WhatsApp named. */
  readonly chat: string;
  /**
   * What the message answers, whom it mentions and how long it stays, for the field of that name in the kind's own part of
   * the message; left out where it does none of that.
   */
  readonly contextInfo?: proto.IContextInfo;
  /** The message that it acts on, where it does. */
  readonly original?: WireOriginal;
  /** The file that it is made of, as it lies at WhatsApp; left out for every other message. */
  readonly file?: FileOfSend;
  /** The photos of contacts; left out where it has none. */
  readonly photos?: Photos;
  /** The look of a status; left out for every other message. */
  readonly look?: StatusLook;
}

/** The message that an act is about, as a message of the protocol names it. */
export interface WireOriginal {
  readonly key: proto.IMessageKey;
  readonly type: ContentType;
  /** The time of the act, in milliseconds since 1970. */
  readonly actedAtMs: number;
  /** Seals bytes for it, under the names that its chat has for people; left out where its secret is not kept. */
  readonly seal?: (use: SealUse, plaintext: Uint8Array) => Sealed;
}

/** The message that an act is about. Throws where there is none, which accept has refused. */
export function aboutOf({ original }: WireContext): WireOriginal {
  if (original === undefined) throw new Error('an act on no message');
  return original;
}

/** Bytes that are sealed for the message that an act is about. Throws where its secret is not known, which accept has refused. */
export function sealedFor({ seal }: WireOriginal, use: SealUse, plaintext: Uint8Array): proto.Message.IPollEncValue {
  if (seal === undefined) throw new Error('an answer to a message without its secret');
  const { payload, iv } = seal(use, plaintext);
  return { encPayload: payload, encIv: iv };
}

/** The way in which a kind is sent. */
export interface Spoken<Asked> {
  /**
   * Makes the wire message. It is called once for a message, however often that is tried: the result is kept before
   * anything leaves, and sent again from there. So it may look something up, choose a secret, or upload a file before,
   * each within a deadline of its own.
   */
  readonly toWire: (asked: Asked, context: WireContext) => WireMessage | Promise<WireMessage>;
  /**
   * How an answer to a message of this kind quotes it, whoever wrote that. Left out where the message itself cannot be made
   * of what is known of it, or the result is undefined: then its words are quoted.
   */
  readonly toQuoted?: (body: Asked) => proto.IMessage | undefined;
}
