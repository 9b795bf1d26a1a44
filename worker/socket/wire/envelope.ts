import type { BinaryNode } from '@whiskeysockets/baileys';
import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { isLid, otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';

/** The addresses of the linked account itself. */
export interface Me {
  readonly phoneJid: string;
  readonly lid: string | undefined;
}

/** The address parts of a message: all of its fact but the content. */
export type MessageAddress = Omit<MessageFact, 'kind' | 'key' | 'content'>;

/** The addresses of a message, by its stanza; a message without content has them, too. */
export function addressOf({ attrs }: BinaryNode, me: Me): MessageAddress {
  const from = withoutDevice(attrs['from'] ?? '');
  // In a group, and in a broadcast, the sender is not the chat that the stanza comes from.
  const isGroup = from.endsWith('@g.us') || from.endsWith('@broadcast');
  const sender = isGroup ? withoutDevice(attrs['participant'] ?? '') : from;
  const fromMe = isMe(sender, me);
  const chat = isGroup ? from : fromMe ? withoutDevice(attrs['recipient'] ?? from) : from;
  const ofSender = isGroup ? ['participant_lid', 'participant_pn'] : ['sender_lid', 'sender_pn'];
  const ofRecipient = ['recipient_lid', 'recipient_pn', 'peer_recipient_lid', 'peer_recipient_pn'];
  const told = (address: string, names: readonly string[]): string | undefined =>
    otherNameOf(
      address,
      names.map((name) => attrs[name]),
    );
  const senderAlias = fromMe ? otherNameOf(sender, [me.phoneJid, me.lid]) : told(sender, ofSender);
  const chatAlias = isGroup ? undefined : fromMe && chat !== sender ? told(chat, ofRecipient) : senderAlias;
  return {
    atMs: Number(attrs['t'] ?? 0) * 1_000,
    stanzaId: (attrs['id'] ?? '') as StanzaId,
    chat,
    sender,
    ...(chatAlias === undefined ? {} : { chatAlias }),
    ...(senderAlias === undefined ? {} : { senderAlias }),
    fromMe,
    ...(attrs['notify'] ? { senderName: attrs['notify'] } : {}),
    ...(isGroup && !fromMe ? usernameIn(attrs['participant_username']) : {}),
    ...(attrs['edit'] === DELETE_AS_ADMIN ? { asAdmin: true } : {}),
  };
}

/** A handle is letters, digits, dots and low lines; what is none is left out. */
const USERNAME = /^[a-z0-9._]{1,64}$/i;

/**
 * The handle of the sender. WhatsApp's server writes it on what comes by way of a group; the other attributes of that form
 * name the recipient of what the account itself wrote.
 */
function usernameIn(attribute: string | undefined): { readonly senderUsername?: string } {
  return attribute !== undefined && USERNAME.test(attribute) ? { senderUsername: attribute } : {};
}

/** The value of `edit` of a stanza by which an administrator takes back what a member wrote. */
const DELETE_AS_ADMIN = '8';

/** Whether a message is from our own account, in no group. The server writes the address: nobody else can have it. */
export function isFromOwnAccount({ attrs: { from = '' } }: BinaryNode, me: Me): boolean {
  return isMe(withoutDevice(from), me);
}

/** Whether a message is from the account's own phone, which is device 0. */
export function isFromOwnPhone(stanza: BinaryNode, me: Me): boolean {
  const { from = '' } = stanza.attrs;
  return withoutDevice(from) === from && isFromOwnAccount(stanza, me);
}

/**
 * The address of our own account in the form of another address: in a chat by number our words are our number's, everywhere
 * else we are known by our LID.
 */
export function ownNameBy(address: string, { phoneJid, lid }: Me): string {
  return address.endsWith('@s.whatsapp.net') ? phoneJid : (lid ?? phoneJid);
}

/** Whether an address without device is our own account's. */
export function isMe(jid: string, me: Me): boolean {
  return jid === (isLid(jid) ? me.lid : me.phoneJid);
}
