import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import type { Asking } from './asking.ts';
import { aNode } from './groupQuery.ts';

/** What can be asked of a person. Source of the form: `USyncQuery` of Baileys. */
export type UserProtocol = 'status' | 'disappearing_mode' | 'devices';

const protocolNodes: Readonly<Record<UserProtocol, BinaryNode>> = {
  status: aNode('status'),
  disappearing_mode: aNode('disappearing_mode'),
  devices: aNode('devices', { version: '2' }),
};

/** The query for some of what a person shows. */
export function toUserQuery(
  { makeTag }: Pick<Asking, 'makeTag'>,
  protocols: readonly UserProtocol[],
  jid: string,
): BinaryNode {
  const asked = aNode('usync', { context: 'interactive', mode: 'query', sid: makeTag(), last: 'true', index: '0' }, [
    aNode(
      'query',
      {},
      protocols.map((protocol) => protocolNodes[protocol]),
    ),
    aNode('list', {}, [aNode('user', { jid })]),
  ]);
  return aNode('iq', { id: makeTag(), to: 's.whatsapp.net', type: 'get', xmlns: 'usync' }, [asked]);
}

/** What the answer says of each person; undefined where it is no such answer. */
export function usersIn(answer: BinaryNode): readonly BinaryNode[] | undefined {
  const list = getBinaryNodeChild(getBinaryNodeChild(answer, 'usync'), 'list');
  return list === undefined ? undefined : getBinaryNodeChildren(list, 'user');
}
