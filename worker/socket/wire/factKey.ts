import { createHash } from 'node:crypto';

/** The parts that make a message unique within its connection. */
export interface MessageIdentity {
  readonly chat: string;
  readonly sender: string;
  readonly stanzaId: string;
  readonly fromMe: boolean;
}

/** The key of a message. Our own account is one writer, whichever of its addresses a stanza names. */
export function messageKey({ chat, sender, stanzaId, fromMe }: MessageIdentity): string {
  return `message:${digest(chat, fromMe ? 'me' : sender, stanzaId)}`;
}

/** The key of a call. */
export function callKey(callId: string, caller: string): string {
  return `call:${digest(callId, caller)}`;
}

/** The name of a fact from its unique parts: the same parts always give the same 40 characters. */
export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
