import { z } from 'zod';
import { isLid, phoneNumberOf } from '../kernel/jid.ts';

/**
 * People and chats as the API and its events show them: one object with every name that is known. WhatsApp calls the same
 * person by number in one stanza and by LID in the next, so each place that shows an address shows it through here.
 */
const names = {
  id: z.string().meta({
    description: 'The address to compare by: the LID where it is known, else the phone-number address; or the group.',
    example: '236471520047@lid',
  }),
  phoneNumber: z.string().optional().meta({ description: 'Where it is known.', example: '+4915123456789' }),
  lid: z.string().optional().meta({ description: 'The hidden user id, where it is known.' }),
} as const;

export const contactSchema = z.object(names).meta({ id: 'Contact', description: 'A person.' });
export type Contact = z.infer<typeof contactSchema>;

export const senderSchema = z
  .object({
    ...names,
    name: z.string().optional().meta({ description: 'As the person calls themselves.' }),
    username: z.string().optional().meta({
      description:
        'The handle of the person, without @, where WhatsApp tells it. It can change hands: compare by `id`.',
      example: 'ada.lovelace',
    }),
  })
  .meta({ id: 'Sender', description: 'Who wrote a message.' });
export type Sender = z.infer<typeof senderSchema>;

export const chatSchema = z
  .object(names)
  .meta({ id: 'Chat', description: 'A conversation: with a person, or a group.' });
export type Chat = z.infer<typeof chatSchema>;

/** The object of a person, or of a chat, from all addresses that are known for it: at least one, in any order. */
export function toContact(...addresses: readonly (string | undefined)[]): Contact {
  const known = addresses.filter((address) => address !== undefined);
  const lid = known.find(isLid);
  const phoneJid = known.find((address) => phoneNumberOf(address) !== undefined);
  const phoneNumber = phoneJid === undefined ? undefined : phoneNumberOf(phoneJid);
  return {
    id: lid ?? phoneJid ?? known[0] ?? '',
    ...(phoneNumber === undefined ? {} : { phoneNumber }),
    ...(lid === undefined ? {} : { lid }),
  };
}

/** The object of a chat from its addresses: a group has one address and no number. */
export function toChat(...addresses: readonly (string | undefined)[]): Chat {
  return toContact(...addresses);
}

/** The names of the writer of a message, as its row and its fact have them. */
interface Writer {
  readonly sender: string;
  readonly senderAlias?: string | undefined;
  readonly senderName?: string | undefined;
  readonly senderUsername?: string | undefined;
}

/** The object of the writer of a message. */
export function toSender({ sender, senderAlias, senderName: name, senderUsername: username }: Writer): Sender {
  return {
    ...toContact(sender, senderAlias),
    ...(name === undefined ? {} : { name }),
    ...(username === undefined ? {} : { username }),
  };
}
