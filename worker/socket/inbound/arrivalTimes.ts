import type { Fact } from '../../../shared/event/facts/factRows.ts';

/**
 * The last time that was given out by session: it outlives the sockets of a connection, and ends with the ownership.
 */
const lastOf = new WeakMap<object, number>();

/**
 * Gives each message the time at which it came, and no two of a connection the same: WhatsApp's own times are whole
 * seconds, in which a lively chat has many messages. A message list sorts by it.
 * @param session the session of the connection
 */
export function withArrivalTimes(session: object, facts: readonly Fact[], nowMs: number): readonly Fact[] {
  return facts.map((fact) => {
    if (fact.kind !== 'message') return fact;
    const receivedAtMs = Math.max(nowMs, (lastOf.get(session) ?? 0) + 1);
    lastOf.set(session, receivedAtMs);
    return { ...fact, receivedAtMs };
  });
}
