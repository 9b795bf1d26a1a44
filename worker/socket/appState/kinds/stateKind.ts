import type { proto } from '@whiskeysockets/baileys';
import type { Fact } from '../../../../shared/event/facts/factRows.ts';
import { parseJid, withoutDevice } from '../../../../shared/kernel/jid.ts';

/** A change of another device, or of our own, as far as every kind needs it. */
export interface HeardChange {
  readonly isRemoved: boolean;
  /** The index behind the name of the kind. Devices of the account write it; nothing of it is trusted. */
  readonly about: readonly string[];
  readonly value: proto.ISyncActionValue;
  /** The name of the change: the same for the same bytes, wherever they come from. */
  readonly key: string;
  readonly atMs: number;
}

/** One kind of change of app state: the first word of its index, and what it tells. A new kind is a file and a row. */
export interface StateKind {
  /** What a change tells; undefined for one that says nothing that can be told. It never throws. */
  readonly toFact: (change: HeardChange) => Fact | undefined;
}

/** The place of a participant in an index, where there is none. */
export const NOBODY = '0';
const LONGEST_ID = 256;

/** The message that an index names: chat, id, whether the account wrote it, and its writer in a group. */
export interface NamedInIndex {
  readonly chat: string;
  readonly stanzaId: string;
  readonly fromMe: boolean;
  readonly sender?: string;
}

/** The address of a chat as an index names it; undefined for anything that is none. */
export function chatIn(text: string | undefined): string | undefined {
  return text !== undefined && parseJid(text) !== undefined ? withoutDevice(text) : undefined;
}

/** Reads the message that an index names; undefined where it names none. */
export function messageIn([chatText, id = '', mine, writer]: readonly string[]): NamedInIndex | undefined {
  const chat = chatIn(chatText);
  if (chat === undefined || id === '' || id.length > LONGEST_ID || (mine !== '0' && mine !== '1')) return undefined;
  const sender = mine === '1' || writer === NOBODY ? undefined : chatIn(writer);
  return { chat, stanzaId: id, fromMe: mine === '1', ...(sender === undefined ? {} : { sender }) };
}

/** The index of a message, behind the name of a kind. Source of the form: `BuildStar` of whatsmeow. */
export function toMessageIndex({ chat, stanzaId, fromMe, sender }: NamedInIndex): readonly string[] {
  const writer = fromMe || sender === undefined || sender === chat ? NOBODY : sender;
  return [chat, stanzaId, fromMe ? '1' : '0', writer];
}
