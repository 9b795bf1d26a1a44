import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import { messageKey, type MessageFact } from '../../../shared/event/facts/messageFact.ts';
import { addressOf, type Me } from './envelope.ts';

/**
 * The reasons for which WhatsApp gives linked devices a message without its content, where the phone will not give it
 * either, as in Baileys.
 */
const WITHHELD: ReadonlySet<string> = new Set([
  'bot_unavailable_fanout',
  'hosted_unavailable_fanout',
  'view_once_unavailable_fanout',
  'view_once',
]);
/**
 * The ciphers of answers of bots, sealed with a secret of the message that they answer: Baileys acknowledges them and
 * does nothing else.
 */
const CIPHERS: ReadonlySet<string> = new Set(['msmsg']);

/**
 * The name of what keeps a message closed on linked devices for good: its cipher, or the reason for which it is withheld.
 * Undefined for a message that is opened, or that may come once it is asked for.
 */
export function closedBy(stanza: BinaryNode): string | undefined {
  // Baileys goes by the first of them, whatever comes behind.
  const cipher = getBinaryNodeChild(stanza, 'enc')?.attrs['type'] ?? '';
  if (CIPHERS.has(cipher)) return cipher;
  const parts = Array.isArray(stanza.content) ? stanza.content : [];
  if (parts.some(({ tag }) => tag === 'enc' || tag === 'plaintext')) return undefined;
  const reason = getBinaryNodeChild(stanza, 'unavailable')?.attrs['type'] ?? '';
  return WITHHELD.has(reason) ? reason : undefined;
}

/**
 * The fact of a message that stays closed: somebody has written, and the phone shows what. Messages between devices
 * have none.
 */
export function toUnopened(stanza: BinaryNode, me: Me): MessageFact | undefined {
  const kind = closedBy(stanza);
  if (kind === undefined || stanza.attrs['category'] === 'peer') return undefined;
  const address = addressOf(stanza, me);
  return {
    kind: 'message',
    key: messageKey(address),
    ...address,
    content: { type: 'unsupported', unsupported: { kind } },
  };
}
