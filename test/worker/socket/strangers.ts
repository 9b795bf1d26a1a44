import type { BinaryNode } from '@whiskeysockets/baileys';
import { PlainAccount, pairByQr, type PlainSocket } from '../../whatsapp/plainSocket.ts';
import { jidOf, WHATSAPP } from '../../whatsapp/world.ts';
import type { SocketRoom } from './socketRoom.ts';

/** A client of unmodified Baileys, linked to somebody's phone: it sends whatever stanza a test wants. */
export interface RawClient {
  readonly client: PlainSocket;
  /** What WhatsApp has brought to it, in order. */
  readonly brought: readonly BinaryNode[];
  readonly send: (stanza: BinaryNode) => Promise<void>;
  readonly close: () => void;
}

/** Links a raw client to the phone with this number. */
export async function linkRawClient(room: SocketRoom, number: string): Promise<RawClient> {
  const client = await pairByQr(new PlainAccount(), room.whatsApp, (qr) => room.client.scan(number, qr));
  const brought: BinaryNode[] = [];
  client.socket.ws.on('CB:message', (stanza: BinaryNode) => void brought.push(stanza));
  return { client, brought, send: (stanza) => client.socket.sendNode(stanza), close: () => client.close() };
}

/** Ids of the messages that were repeated to a client: what is repeated says for which request. */
export function repeatedTo({ brought }: RawClient): readonly string[] {
  return brought.flatMap(({ attrs, content }) =>
    Array.isArray(content) && content.some((part) => part.tag === 'enc' && part.attrs['count'] !== undefined)
      ? [attrs['id'] ?? '']
      : [],
  );
}

/** The address of the room's linked device, by number or by LID. */
export function ourDevice(room: SocketRoom, server: 'lid' | typeof WHATSAPP = WHATSAPP): string {
  const account = room.whatsApp.world.accounts.get(room.number);
  const device = [...(account?.devices.keys() ?? [])][0];
  if (account === undefined || device === undefined) throw new Error('no device is linked');
  return jidOf(account, device, server);
}

/** A request to repeat messages. @param more ids beside the first one */
export function aRetryReceipt(
  id: string,
  attrs: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): BinaryNode {
  const items = more.map((each): BinaryNode => ({ tag: 'item', attrs: { id: each } }));
  return {
    tag: 'receipt',
    attrs: { id, type: 'retry', ...attrs },
    content: [
      ...(items.length === 0 ? [] : [{ tag: 'list', attrs: {}, content: items }]),
      { tag: 'retry', attrs: { count: '1', id, t: String(Math.floor(Date.now() / 1_000)), v: '1' } },
      { tag: 'registration', attrs: {}, content: Buffer.from([0, 0, 0x30, 0x39]) },
    ],
  };
}
