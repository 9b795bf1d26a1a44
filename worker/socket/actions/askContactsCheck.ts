import type { BinaryNode } from '@whiskeysockets/baileys';
import { parsePhoneNumber, toPhoneJid, withoutDevice } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import { answerTo, type Ask } from './asking.ts';

/** WhatsApp's answer about one number. */
interface Answered {
  readonly exists: boolean;
  /** The address of the account, as WhatsApp writes it; undefined when there is none. */
  readonly address: string | undefined;
  readonly lid: string | undefined;
}

/**
 * Asks for all numbers in one query. WhatsApp repeats each number that it was asked for beside its account, so an account that is
 * written in another way is still the answer to its number.
 */
export const askContactsCheck: Ask<'contacts_check'> = async (asking, { contacts }) => {
  const numbers = contacts.map((input) => ({ input, digits: parsePhoneNumber(input) }));
  const asked = [...new Set(numbers.flatMap(({ digits }) => digits ?? []))];
  const found =
    asked.length === 0
      ? new Map<string, Answered>()
      : toAnswers(await answerTo(asking, toQuery(asked, asking.makeTag())));
  // A number that WhatsApp passes over is not known: to call it "no account" would be a guess.
  if (asked.some((digits) => !found.has(digits))) return { outcome: 'unanswered' };
  for (const [digits, { exists, address }] of found) {
    if (exists && address !== undefined) asking.recipients.learn(toPhoneJid(digits), address);
  }
  return {
    outcome: 'succeeded',
    result: {
      contacts: numbers.map(({ input, digits }) => {
        if (digits === undefined) return { input, exists: false, problem: 'not_a_phone_number' as const };
        const { exists = false, address, lid } = found.get(digits) ?? {};
        return exists ? { input, exists, contact: toContact(address ?? toPhoneJid(digits), lid) } : { input, exists };
      }),
    },
  };
};

/** The query. Source of its form: `USyncQuery` of Baileys, with its contact and LID protocols. */
function toQuery(numbers: readonly string[], sid: string): BinaryNode {
  const users = numbers.map((digits) => ({
    tag: 'user',
    attrs: {},
    content: [{ tag: 'contact', attrs: {}, content: `+${digits}` }],
  }));
  return {
    tag: 'iq',
    attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'usync' },
    content: [
      {
        tag: 'usync',
        attrs: { context: 'interactive', mode: 'query', sid, last: 'true', index: '0' },
        content: [
          {
            tag: 'query',
            attrs: {},
            content: [
              { tag: 'contact', attrs: {} },
              { tag: 'lid', attrs: {} },
            ],
          },
          { tag: 'list', attrs: {}, content: users },
        ],
      },
    ],
  };
}

/** The answers by the digits that were asked for. */
function toAnswers(answer: BinaryNode): ReadonlyMap<string, Answered> {
  const users = childrenOf(childOf(childOf(answer, 'usync'), 'list')).filter(({ tag }) => tag === 'user');
  return new Map(
    users.flatMap((user): readonly (readonly [string, Answered])[] => {
      const contact = childOf(user, 'contact');
      const jid = user.attrs['jid'];
      const address = jid === undefined ? undefined : withoutDevice(jid);
      // An answer that does not repeat the number names it by its address.
      const asked = textOf(contact) ?? address?.split('@')[0];
      if (contact === undefined || asked === undefined) return [];
      const lid = childOf(user, 'lid')?.attrs['val'];
      return [[asked.replaceAll(/\D/g, ''), { exists: contact.attrs['type'] === 'in', address, lid }]];
    }),
  );
}

function childrenOf(node: BinaryNode | undefined): readonly BinaryNode[] {
  return Array.isArray(node?.content) ? node.content : [];
}

function childOf(node: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  return childrenOf(node).find((child) => child.tag === tag);
}

function textOf(node: BinaryNode | undefined): string | undefined {
  const content = node?.content;
  if (content instanceof Uint8Array) return Buffer.from(content).toString('utf8');
  return typeof content === 'string' ? content : undefined;
}
