import type { BinaryNode } from '@whiskeysockets/baileys';

/** Attributes of a message by which it is acknowledged, asked for again, and told of. */
const KEPT = [
  'id',
  'from',
  'participant',
  'recipient',
  't',
  'type',
  'category',
  'notify',
  'addressing_mode',
  'sender_lid',
  'sender_pn',
  'participant_lid',
  'participant_pn',
  'recipient_lid',
  'recipient_pn',
  'peer_recipient_lid',
  'peer_recipient_pn',
] as const;
/** More than any of them needs; a name is shown with 128 characters. */
const LONGEST = 512;

/**
 * What is kept of a message that has to wait: no content, and attributes that cannot be long, because how many wait is bounded
 * by number and what is in them was written by strangers. Undefined where its id is too long to be kept.
 */
export function stanzaHead({ tag, attrs }: BinaryNode): BinaryNode | undefined {
  if ((attrs['id'] ?? '').length > LONGEST) return undefined;
  const kept = KEPT.flatMap((name) => {
    const value = attrs[name];
    return value === undefined ? [] : [[name, value.slice(0, LONGEST).toWellFormed()] as const];
  });
  return { tag, attrs: Object.fromEntries(kept) };
}
