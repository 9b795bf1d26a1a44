import type { BinaryNode } from '@whiskeysockets/baileys';
import { withoutDevice } from '../../../shared/kernel/jid.ts';

/** WhatsApp's answer about one number. */
export interface Account {
  readonly exists: boolean;
  /** The address of the account, as WhatsApp writes it; undefined when there is none. */
  readonly address: string | undefined;
  readonly lid: string | undefined;
}

/** The query. Source of its form: `USyncQuery` of Baileys, with its contact and LID protocols. */
export function toAccountQuery(numbers: readonly string[], sid: string): BinaryNode {
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
export function toAccounts(answer: BinaryNode): ReadonlyMap<string, Account> {
  const users = childrenOf(childOf(childOf(answer, 'usync'), 'list')).filter(({ tag }) => tag === 'user');
  return new Map(
    users.flatMap((user): readonly (readonly [string, Account])[] => {
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
