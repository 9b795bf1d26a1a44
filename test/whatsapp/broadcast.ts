import { aGroup, type Group } from './group.ts';
import type { Account } from './world.ts';

export const STATUS = 'status@broadcast';

/** A status update, or a message to a list, as a chat of its sender and those whom he chose. */
export function broadcastTo(id: string, from: Account, readers: Iterable<Account>): Group {
  const members = new Map([from, ...readers].map(({ number }) => [number, 'member'] as const));
  return aGroup({ id, subject: '', creator: from.number, createdAt: '0', members });
}
