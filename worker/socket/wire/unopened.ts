import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { BodyOf } from '../../../shared/content/content.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import { messageKey } from '../../../shared/event/facts/messageKey.ts';
import { addressOf, type Me } from './envelope.ts';

type Reason = BodyOf<'unavailable'>['reason'];

/**
 * The reasons for which WhatsApp gives linked devices a message without its content, where the phone will not give it
 * either, as in Baileys.
 */
const withheld: Readonly<Record<string, Reason>> = {
  bot_unavailable_fanout: 'bot',
  hosted_unavailable_fanout: 'hosted',
  view_once_unavailable_fanout: 'view_once',
  view_once: 'view_once',
};
/**
 * The ciphers of answers of bots, sealed with a secret of the message that they answer: Baileys acknowledges them and
 * does nothing else.
 */
const ciphers: Readonly<Record<string, Reason>> = { msmsg: 'bot' };

/**
 * The reason for which a message stays closed on linked devices for good. Undefined for one that is opened, or that may come
 * once it is asked for.
 */
export function closedBy(stanza: BinaryNode): Reason | undefined {
  // Baileys goes by the first of them, whatever comes behind.
  const cipher = getBinaryNodeChild(stanza, 'enc')?.attrs['type'] ?? '';
  const sealedAs = tableEntry(ciphers, cipher);
  if (sealedAs !== undefined) return sealedAs;
  const parts = Array.isArray(stanza.content) ? stanza.content : [];
  if (parts.some(({ tag }) => tag === 'enc' || tag === 'plaintext')) return undefined;
  return tableEntry(withheld, getBinaryNodeChild(stanza, 'unavailable')?.attrs['type'] ?? '');
}

/**
 * The fact of a message that stays closed: somebody has written, and the phone shows what. Messages between devices
 * have none.
 */
export function toUnopened(stanza: BinaryNode, me: Me): MessageFact | undefined {
  const reason = closedBy(stanza);
  if (reason === undefined || stanza.attrs['category'] === 'peer') return undefined;
  const address = addressOf(stanza, me);
  return {
    kind: 'message',
    key: messageKey(address),
    ...address,
    content: { type: 'unavailable', unavailable: { reason } },
  };
}
