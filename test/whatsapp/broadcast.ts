import type { Group } from './group.ts';
import { children, child, type BinaryNode } from './node.ts';
import { findAddress, type Account, type World } from './world.ts';

export const STATUS = 'status@broadcast';

/** A status update, or a message to a list, as a chat of its sender and those whom he chose. */
export function broadcastTo(id: string, from: Account, readers: Iterable<Account>): Group {
  const members = new Map([from, ...readers].map(({ number }) => [number, 'member'] as const));
  return { id, subject: '', creator: from.number, createdAt: '0', description: undefined, members };
}

/** The people whom a client chose for a status update: it names each of their devices, which get the key of the sender. */
export function statusReaders(world: World, message: BinaryNode): readonly Account[] {
  return children(child(message, 'participants'), 'to').flatMap(
    ({ attrs }) => findAddress(world, attrs['jid'])?.account ?? [],
  );
}
