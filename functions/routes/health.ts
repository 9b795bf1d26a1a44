import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { publicStatusOf, type Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { connectionStatuses, statusCodes } from '../../shared/connection/status.ts';
import { LAG_FRESH_MS, LAG_LATE_MS, readEventLag, type EventLag } from '../../shared/event/eventLag.ts';
import { readFleet, type FleetTable } from '../../shared/fleet/fleetTable.ts';
import { orphansOf, type FleetView } from '../../shared/fleet/fleetView.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { maskPhoneNumber } from '../../shared/kernel/jid.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { attentions, judgeConnection, oldestWaiting, type ConnectionHealth } from '../../shared/message/waiting.ts';
import { findTenant } from '../../shared/tenant/tenant.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { wholeNumber } from '../http/wholeNumber.ts';

export interface HealthRouteDependencies extends Pick<Surroundings, 'clock'>, FleetTable {
  readonly connections: ConnectionStore;
  readonly messages: MessageStore;
  readonly shardCount: number;
}

/** The time limit of a readiness check in milliseconds: a load balancer asks often, and gives up soon. */
const READY_WITHIN_MS = 2_000;
const FIRST_SHARD = 0;

/** How many names of tenants are kept for a while: they are shown beside ids and hardly ever change. */
const NAMES_KEPT = 2_000;
const NAME_MS = 300_000;

const okSchema = z.object({ status: z.literal('ok') });

/**
 * Routes that say whether the API answers, and whether it can work. They are public: nothing of a tenant is in them.
 */
export function healthRoutes({ connections, clock }: HealthRouteDependencies): readonly Route[] {
  return [
    route('GET', '/health', {
      summary: 'Whether the API answers',
      access: 'public',
      answers: { status: 200, schema: okSchema },
      handle: async () => ({ status: 200, json: { status: 'ok' } }),
    }),
    route('GET', '/health/ready', {
      summary: 'Whether the API reaches its store',
      access: 'public',
      answers: { status: 200, schema: okSchema },
      handle: async () => {
        try {
          await withDeadline('a look at the store', READY_WITHIN_MS, () => connections.occupancy(FIRST_SHARD), clock);
        } catch (cause) {
          throw new AppError('store_unavailable', { cause });
        }
        return { status: 200, json: { status: 'ok' } };
      },
    }),
  ];
}

const at = z.iso.datetime();
const count = z.number().int();

const healthViewSchema = z
  .object({
    at,
    shard: count,
    next: count.optional().meta({ description: 'The shard to ask for next; absent on the last page.' }),
    fleet: z.object({
      workers: count.meta({ description: 'That live.' }),
      unowned: count.meta({ description: 'Shards without a living owner.' }),
      connections: count.meta({ description: 'That workers hold, as of their last heartbeats.' }),
      online: count,
    }),
    events: z
      .object({
        lagMs: count.meta({
          description: 'For how long the last facts lay in the events queue before they were stored.',
        }),
        measuredAt: at,
        late: z.boolean().meta({ description: 'Whether that is long, and not long ago.' }),
      })
      .optional()
      .meta({ description: 'Absent when nothing has come within the hour.' }),
    owner: z
      .object({ worker: z.string(), lastHeartbeatAt: at })
      .optional()
      .meta({ description: 'Who owns this shard; absent while nobody living does.' }),
    connections: z.array(
      z.object({
        id: z.string(),
        label: z.string().optional(),
        account: z.string().optional().meta({ description: 'The last digits of its number.' }),
        tenant: z.string(),
        tenantName: z.string().optional(),
        attention: z.enum(attentions).meta({
          description:
            '`bad`: customers feel it; `look`: a person should, at some time; `good`: as it should be. Worst first.',
        }),
        reason: z.string().meta({ description: 'Why it is judged so, in one sentence or two.' }),
        status: z.enum(connectionStatuses),
        code: z.enum(statusCodes),
        sentence: z.string(),
        since: at,
        nextAttemptAt: at.optional().meta({ description: 'When the next attempt to connect begins, or began.' }),
        parkedMessages: count,
        oldestParkedAt: at.optional().meta({ description: 'When the message was accepted that has waited longest.' }),
        sendsPaused: z
          .object({ sentence: z.string(), until: at })
          .optional()
          .meta({ description: 'Absent while messages go out as they come.' }),
      }),
    ),
  })
  .meta({ id: 'Health' });

/**
 * The route that shows every connection that is wanted online, shard by shard, with the worker that owns it. It is for
 * operators.
 */
export function detailedHealthRoutes(dependencies: HealthRouteDependencies): readonly Route[] {
  const { connections, clock, shardCount } = dependencies;
  const names = new LRUCache<TenantId, string>({ max: NAMES_KEPT, ttl: NAME_MS });
  return [
    route('GET', '/health/detailed', {
      summary: 'Show how connections are, a shard at a time',
      access: 'operator',
      query: z.object({
        shard: wholeNumber(FIRST_SHARD, shardCount - 1).default(FIRST_SHARD),
      }),
      answers: { status: 200, schema: healthViewSchema },
      handle: async ({ query: { shard } }) => {
        const [view, found, lag] = await Promise.all([
          readFleet(dependencies, shardCount),
          connections.listOfShard(shard),
          readEventLag(dependencies),
        ]);
        const nowMs = clock.nowMs();
        const [judged] = await Promise.all([
          Promise.all(found.map((connection) => judge(dependencies, connection, nowMs))),
          readNames(dependencies, found, names),
        ]);
        const json: z.infer<typeof healthViewSchema> = {
          at: toTime(nowMs),
          shard,
          ...(shard + 1 < shardCount ? { next: shard + 1 } : {}),
          fleet: summaryOf(view),
          ...(lag === undefined ? {} : { events: toLag(lag, nowMs) }),
          ...ownerOf(view, shard),
          connections: judged
            .toSorted(worstFirst)
            .map((one) => toConnectionView(one, names.get(one.connection.tenantId))),
        };
        return { status: 200, json };
      },
    }),
  ];
}

function summaryOf(view: FleetView): z.infer<typeof healthViewSchema>['fleet'] {
  const living = view.leases.filter(({ state }) => state !== 'DEAD');
  return {
    workers: living.length,
    unowned: orphansOf(view).length,
    connections: living.reduce((sum, { load }) => sum + load.connections, 0),
    online: living.reduce((sum, { load }) => sum + load.online, 0),
  };
}

function ownerOf({ leases, shards }: FleetView, shard: number) {
  const row = shards[shard];
  const lease = leases.find(({ workerId, state }) => workerId === row?.owner && state !== 'DEAD');
  if (lease === undefined) return {};
  return { owner: { worker: lease.workerId, lastHeartbeatAt: toTime(lease.seenAtMs) } };
}

interface Judged {
  readonly connection: Connection;
  readonly health: ConnectionHealth;
}

/**
 * Judges a connection, with one more read when something waits on it; the size of a shard bounds how many there are.
 */
async function judge({ messages }: HealthRouteDependencies, connection: Connection, nowMs: number): Promise<Judged> {
  return { connection, health: judgeConnection(connection, await oldestWaiting(messages, connection), nowMs) };
}

/** The order of connections: the worst first; among equals, the one on which something has waited longest. */
function worstFirst(left: Judged, right: Judged): number {
  return (
    attentions.indexOf(left.health.attention) - attentions.indexOf(right.health.attention) ||
    (left.health.oldestWaitingAtMs ?? Infinity) - (right.health.oldestWaitingAtMs ?? Infinity) ||
    left.connection.connectionId.localeCompare(right.connection.connectionId)
  );
}

async function readNames(
  stores: FleetTable,
  found: readonly Connection[],
  names: LRUCache<TenantId, string>,
): Promise<void> {
  const missing = [...new Set(found.map(({ tenantId }) => tenantId))].filter((tenantId) => !names.has(tenantId));
  for (const tenantId of missing) {
    const tenant = await findTenant(stores, tenantId);
    if (tenant !== undefined) names.set(tenantId, tenant.name);
  }
}

function toLag({ atMs, lagMs }: EventLag, nowMs: number) {
  return { lagMs, measuredAt: toTime(atMs), late: lagMs > LAG_LATE_MS && nowMs - atMs < LAG_FRESH_MS };
}

function toConnectionView({ connection, health }: Judged, tenantName: string | undefined) {
  const { status, code, sentence, sinceMs, nextAttemptAtMs } = publicStatusOf(connection);
  const { label, account } = connection;
  const { attention, sentence: reason, sendsPaused, oldestWaitingAtMs: oldestMs } = health;
  return {
    id: connection.connectionId,
    ...(label === undefined ? {} : { label }),
    ...(account === undefined ? {} : { account: maskPhoneNumber(account.phoneJid.replace(/[:@].*$/, '')) }),
    tenant: connection.tenantId,
    ...(tenantName === undefined ? {} : { tenantName }),
    attention,
    reason,
    status,
    code,
    sentence,
    since: toTime(sinceMs),
    ...(nextAttemptAtMs === undefined ? {} : { nextAttemptAt: toTime(nextAttemptAtMs) }),
    parkedMessages: connection.parkedCount,
    ...(oldestMs === undefined ? {} : { oldestParkedAt: toTime(oldestMs) }),
    ...(sendsPaused === undefined
      ? {}
      : { sendsPaused: { sentence: sendsPaused.sentence, until: toTime(sendsPaused.untilMs) } }),
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
