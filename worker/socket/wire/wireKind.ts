import type { proto } from '@whiskeysockets/baileys';
import type { Level } from './unwrap.ts';

/** A message as it leaves: what is sealed, and what stands around it in its stanza. */
export interface WireMessage {
  readonly message: proto.IMessage;
  /** Further attributes of the stanza, such as `edit`. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Further children of the stanza, which have attributes alone, such as the `meta` of a poll. */
  readonly nodes?: readonly { readonly tag: string; readonly attrs: Readonly<Record<string, string>> }[];
}

/** What a kind may need beside what is said, each asked for when it is needed. */
export interface WireContext {
  /** Where it goes: the address that WhatsApp named. */
  readonly chat: string;
}

/** How a kind is sent. */
export interface Spoken<Asked> {
  /**
   * Called once for a message, however often it is tried: what it makes is kept before anything leaves, and sent again from there.
   * So it may look something up, choose a secret, or bring a file up before, each within a deadline of its own.
   */
  readonly toWire: (asked: Asked, context: WireContext) => WireMessage | Promise<WireMessage>;
}

/** How a kind is understood. */
export interface Understood<Body> {
  /** Numbers of the fields of `Message` that it comes in (`messageFields`). */
  readonly fields: readonly number[];
  /**
   * What is said in them. `nothing`: there is nothing to show, and the message is told by what else is in it. Must not throw: a
   * stranger wrote these bytes.
   */
  readonly fromWire: (parts: Level['parts']) => Body | 'nothing' | 'malformed';
}
