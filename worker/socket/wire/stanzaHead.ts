import type { BinaryNode } from '@whiskeysockets/baileys';

/** The attributes by which a message is acknowledged, asked for again, and published. */
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
  'participant_username',
  'recipient_lid',
  'recipient_pn',
  'peer_recipient_lid',
  'peer_recipient_pn',
] as const;
/** The greatest length of an attribute, more than any of them needs; a name is shown with 128 characters. */
const LONGEST = 512;

/**
 * The part of a message that is kept while it has to wait: no content, and attributes that cannot be long, because the
 * number of waiting ones is bounded and strangers write them. Undefined where its id is too long to be kept.
 */
export function stanzaHead({ tag, attrs }: BinaryNode): BinaryNode | undefined {
  if ((attrs['id'] ?? '').length > LONGEST) return undefined;
  const kept = KEPT.flatMap((name) => {
    const value = attrs[name];
    return value === undefined ? [] : [[name, value.slice(0, LONGEST).toWellFormed()] as const];
  });
  return { tag, attrs: Object.fromEntries(kept) };
}
