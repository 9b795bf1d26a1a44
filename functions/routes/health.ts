import { z } from 'zod';
import { publicStatusOf, type Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { connectionStatuses, statusCodes } from '../../shared/connection/status.ts';
import { readFleet, type FleetTable } from '../../shared/fleet/fleetTable.ts';
import { orphansOf, type FleetView } from '../../shared/fleet/fleetView.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { route, type Route } from '../route.ts';

export interface HealthRouteDependencies extends FleetTable {
  readonly connections: ConnectionStore;
  readonly clock: Clock;
  readonly shardCount: number;
}

/** Who asks for readiness asks often, and gives up soon. */
const READY_WITHIN_MS = 2_000;
const FIRST_SHARD = 0;

const okSchema = z.object({ status: z.literal('ok') });

/** Whether the API answers, and whether it can work. For everybody: nothing of a tenant is said. */
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
    owner: z
      .object({ worker: z.string(), lastHeartbeatAt: at })
      .optional()
      .meta({ description: 'Who owns this shard; absent while nobody living does.' }),
    connections: z.array(
      z.object({
        id: z.string(),
        tenant: z.string(),
        status: z.enum(connectionStatuses),
        code: z.enum(statusCodes),
        sentence: z.string(),
        since: at,
        nextAttemptAt: at.optional().meta({ description: 'When the next attempt to connect begins, or began.' }),
        parkedMessages: count,
      }),
    ),
  })
  .meta({ id: 'Health' });

/** Every connection that is wanted online, shard by shard, with who answers for it. For operators. */
export function detailedHealthRoutes(dependencies: HealthRouteDependencies): readonly Route[] {
  const { connections, clock, shardCount } = dependencies;
  return [
    route('GET', '/health/detailed', {
      summary: 'Show how connections are, a shard at a time',
      access: 'operator',
      query: z.object({
        shard: z.coerce
          .number()
          .int()
          .min(FIRST_SHARD)
          .max(shardCount - 1)
          .default(FIRST_SHARD),
      }),
      answers: { status: 200, schema: healthViewSchema },
      handle: async ({ query: { shard } }) => {
        const [view, found] = await Promise.all([readFleet(dependencies, shardCount), connections.listOfShard(shard)]);
        const json: z.infer<typeof healthViewSchema> = {
          at: new Date(clock.nowMs()).toISOString(),
          shard,
          ...(shard + 1 < shardCount ? { next: shard + 1 } : {}),
          fleet: summaryOf(view),
          ...ownerOf(view, shard),
          connections: found.map(toConnectionHealth),
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
  return { owner: { worker: lease.workerId, lastHeartbeatAt: new Date(lease.seenAtMs).toISOString() } };
}

function toConnectionHealth(connection: Connection) {
  const { status, code, sentence, sinceMs, nextAttemptAtMs } = publicStatusOf(connection);
  return {
    id: connection.connectionId,
    tenant: connection.tenantId,
    status,
    code,
    sentence,
    since: new Date(sinceMs).toISOString(),
    ...(nextAttemptAtMs === undefined ? {} : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() }),
    parkedMessages: connection.parkedCount,
  };
}
