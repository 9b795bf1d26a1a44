import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Chat } from '../../../shared/message/party.ts';
import { toChat } from '../../../shared/message/party.ts';
import { toRecipient } from '../../../shared/kernel/jid.ts';
import { answerTo } from '../port/answerTo.ts';
import type { Asking } from './asking.ts';

/** The server of groups, for questions that are about no group that exists. */
export const ALL_GROUPS = '@g.us';

/** Asks the server of groups. Throws the refusal, or `TimeoutError` for silence. */
export function askGroups(
  asking: Pick<Asking, 'socket' | 'queryTimeoutMs' | 'makeTag'>,
  type: 'get' | 'set',
  to: string,
  content: BinaryNode,
): Promise<BinaryNode> {
  return answerTo(asking, { tag: 'iq', attrs: { id: asking.makeTag(), to, type, xmlns: 'w:g2' }, content: [content] });
}

/** Changes a group. What was known of it counts no more, whatever becomes of the change. */
export async function changeGroup(
  asking: Pick<Asking, 'socket' | 'queryTimeoutMs' | 'makeTag' | 'groups'>,
  group: string,
  content: BinaryNode,
): Promise<BinaryNode> {
  try {
    return await askGroups(asking, 'set', group, content);
  } finally {
    asking.groups.forget(group);
  }
}

/** A group of a request: its address, and as it is shown. */
export function toTarget(written: string): { readonly address: string; readonly group: Chat } {
  const address = toRecipient(written) ?? written;
  return { address, group: toChat(address) };
}

export function aNode(tag: string, attrs: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}
