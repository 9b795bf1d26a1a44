import { child, node, stamp, type BinaryNode } from './node.ts';
import { WHATSAPP } from './world.ts';

/**
 * What WhatsApp says of the limits of an account, in the forms that Baileys 7.0.0-rc14 reads (`executeWMexQuery`,
 * `handleMexNotification`). Nobody has verified them against the real server, nor what it refuses meanwhile.
 */
export interface ToldLimit {
  readonly limit: 'time_lock' | 'chat_cap';
  readonly isActive: boolean;
  readonly endsInSeconds?: number | undefined;
}

const QUERIES = { timeLock: '23983697327930364', chatCap: '24503548349331633' } as const;

/** The answer to a query about a lock or a cap; undefined for every other query of its kind. */
export function answerLimits(
  query: BinaryNode,
  lock: Pick<ToldLimit, 'endsInSeconds'> | undefined,
): readonly BinaryNode[] | undefined {
  const asked = child(query, 'query')?.attrs['query_id'];
  if (asked === QUERIES.timeLock) {
    const told = { limit: 'time_lock', isActive: lock !== undefined, endsInSeconds: lock?.endsInSeconds } as const;
    return [resultOf({ xwa2_fetch_account_reachout_timelock: toLock(told) })];
  }
  if (asked === QUERIES.chatCap) {
    return [resultOf({ xwa2_message_capping_info: toCap({ limit: 'chat_cap', isActive: false }) })];
  }
  return undefined;
}

/** The notice by which the server tells of a limit without being asked. */
export function limitNotice(told: ToldLimit): BinaryNode {
  const isLock = told.limit === 'time_lock';
  const data = isLock
    ? { xwa2_notify_account_reachout_timelock: toLock(told) }
    : { xwa2_notify_new_chat_messages_capping_info_update: toCap(told) };
  const name = isLock ? 'NotificationUserReachoutTimelockUpdate' : 'MessageCappingInfoNotification';
  const update = node('update', { op_name: name }, Buffer.from(JSON.stringify({ data })));
  const id = `limit-${Date.now()}`;
  return node('notification', { id, from: WHATSAPP, type: 'mex', t: stamp() }, [update]);
}

const resultOf = (data: unknown): BinaryNode => node('result', {}, Buffer.from(JSON.stringify({ data })));

const endOf = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : String(Math.floor(Date.now() / 1_000) + seconds);

function toLock({ isActive, endsInSeconds }: ToldLimit) {
  return { is_active: isActive, time_enforcement_ends: endOf(endsInSeconds) ?? '0', enforcement_type: 'DEFAULT' };
}

function toCap({ isActive, endsInSeconds }: ToldLimit) {
  return {
    total_quota: 50,
    used_quota: isActive ? 50 : 10,
    cycle_end_timestamp: endOf(endsInSeconds),
    capping_status: isActive ? 'CAPPED' : 'NONE',
  };
}
