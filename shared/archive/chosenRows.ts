import { toPhoneJid } from '../kernel/jid.ts';
import { CONTACT_NUMBER_PREFIX } from '../platform/contactKeys.ts';
import type { Section } from './jobPlace.ts';

type Row = Readonly<Record<string, unknown>>;

/** What is chosen of the rows of a connection. */
export interface Chosen {
  /** All addresses of a chat or a person; everything is chosen where it is left out. */
  readonly names?: readonly string[] | undefined;
  /** Whether what the person wrote in groups is chosen, too. */
  readonly isAuthor: boolean;
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** The attributes of a message that name its chat, whichever of them a stanza or a request used, and those that name its author. */
const CHAT = ['chat', 'chatAlias', 'to', 'resolvedTo', 'toAlias'] as const;
const AUTHOR = ['sender', 'senderAlias'] as const;

/** Whether a row is chosen. Times choose messages alone. */
export function isChosen(holds: Exclude<Section['holds'], 'history'>, row: Row, chosen: Chosen): boolean {
  return holds === 'messages' ? isChosenMessage(row, chosen) : isNamed(addressesIn(holds, row), chosen);
}

function isChosenMessage(row: Row, { isAuthor, fromMs = 0, untilMs = Infinity, ...chosen }: Chosen): boolean {
  const atMs = Number(row['createdAtMs']);
  if (atMs < fromMs || atMs >= untilMs) return false;
  const attributes = isAuthor ? [...CHAT, ...AUTHOR] : CHAT;
  return isNamed(
    attributes.map((name) => row[name]),
    { ...chosen, isAuthor },
  );
}

function addressesIn(holds: Exclude<Section['holds'], 'history'>, { id, sk, number }: Row): readonly unknown[] {
  if (holds === 'numbers') return [id, toPhoneJid(String(sk).slice(CONTACT_NUMBER_PREFIX.length))];
  return typeof number === 'string' && number !== '' ? [id, toPhoneJid(number)] : [id];
}

function isNamed(addresses: readonly unknown[], { names }: Chosen): boolean {
  return names === undefined || addresses.some((address) => typeof address === 'string' && names.includes(address));
}
