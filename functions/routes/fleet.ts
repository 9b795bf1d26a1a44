import { z } from 'zod';
import { requestDrain } from '../../shared/fleet/fleetLease.ts';
import { readFleet, type FleetTable } from '../../shared/fleet/fleetTable.ts';
import { orphansOf, ownedBy, recycleReasons, type FleetView, type LeaseView } from '../../shared/fleet/fleetView.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import { parseId, type WorkerId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';

export interface FleetRouteDependencies extends Pick<Surroundings, 'clock' | 'logger'>, FleetTable {
  readonly shardCount: number;
}

/**
 * How long a worker may be without an acknowledged heartbeat before it suspends itself, in milliseconds: the default of
 * HOLDFAST_FENCE_MS.
 */
const FENCE_MS = 15_000;
/**
 * How long dead workers are shown. An earlier death says nothing about now, and each deploy leaves as many dead leases
 * as there are workers.
 */
const DEAD_SHOWN_MS = 3_600_000;
const DEAD_SHOWN_AT_MOST = 50;

const at = z.iso.datetime();
const count = z.number().int();

const workerViewSchema = z
  .object({
    id: z.string(),
    task: z.string().meta({ description: 'The ECS task that it runs in.' }),
    state: z.enum(['ALIVE', 'DRAINING', 'DEAD']),
    generation: count.meta({ description: 'Deploy generation: workers of a newer one take over from older ones.' }),
    zone: z.string().optional(),
    startedAt: at,
    lastHeartbeatAt: at.meta({ description: "By the worker's own clock." }),
    proof: z
      .enum(['clean', 'observed', 'stopped'])
      .optional()
      .meta({ description: 'How its death is known: it said so itself, it was silent too long, or ECS stopped it.' }),
    load: z
      .object({
        connections: count,
        online: count,
        waiting: count.meta({ description: 'Connections that wait for their turn to open a socket.' }),
        opened: count,
        openFailed: count,
        suspendedMs: z.number().meta({ description: 'Milliseconds in all for which it was suspended.' }),
      })
      .meta({
        description: 'What it said with its last heartbeat. opened, openFailed, suspendedMs grow from its start.',
      }),
    shards: count.meta({ description: 'How many shards it owns.' }),
    drainRequested: z.boolean(),
    full: z.boolean().meta({
      description: 'It takes no more shards: its memory is short, or its event loop late.',
    }),
    recycle: z.enum(recycleReasons).meta({
      description:
        'Why it asks to be recycled, that is replaced by a new worker: its age or its memory; none: it does not ask.',
    }),
    suspended: z.boolean().meta({
      description:
        'An estimate: it is not dead, and its last heartbeat is more than 15 s old, after which a worker stops committing. ' +
        "Two machines' wall clocks are compared, so a worker whose clock is wrong may look suspended, or not.",
    }),
  })
  .meta({ id: 'Worker' });

const shardViewSchema = z
  .object({
    shard: count,
    owner: z.string().optional(),
    epoch: count.meta({ description: 'Grows with each change of owner; 0 before the first.' }),
    next: z.string().optional().meta({ description: 'The worker to whom the owner is to give it.' }),
    orphaned: z.boolean().meta({ description: 'No living worker owns it.' }),
  })
  .meta({ id: 'Shard' });

const fleetViewSchema = z
  .object({
    mode: z.enum(['normal', 'outage']).meta({
      description: 'outage: WhatsApp refuses nearly all opens, so only a few are tried.',
    }),
    brake: z.boolean().meta({
      description: 'Leader or deputy see so many workers look dead at once that they declare none dead.',
    }),
    leader: z.string().optional(),
    deputy: z.string().optional(),
    unowned: count.meta({ description: 'How many shards are orphaned.' }),
    workers: z.array(workerViewSchema).meta({
      description: 'Those that live, oldest first; then at most 50 that died within the last hour, newest first.',
    }),
    shards: z.array(shardViewSchema),
    movesInFlight: z.array(z.object({ shard: count, from: z.string(), to: z.string() })),
  })
  .meta({ id: 'Fleet' });

/** Routes by which operators watch and drain the fleet. */
export function fleetRoutes(dependencies: FleetRouteDependencies): readonly Route[] {
  const { clock, logger, shardCount } = dependencies;
  return [
    route('GET', '/v1/admin/fleet', {
      summary: 'Show workers, shards, and who leads',
      access: 'operator',
      answers: { status: 200, schema: fleetViewSchema },
      handle: async () => {
        const view = await readFleet(dependencies, shardCount);
        return { status: 200, json: toFleetView(view, clock.nowMs()) };
      },
    }),
    route('POST', '/v1/admin/workers/{workerId}/drain', {
      summary: 'Ask a worker to give its shards away and end',
      access: 'operator',
      problems: ['worker_dead', 'worker_already_draining', 'last_worker'],
      answers: { status: 202, schema: workerViewSchema },
      handle: async ({ parameters, correlationId }) => {
        const workerId = parseId('wrk', parameters['workerId'] ?? '');
        if (workerId === undefined) throw new AppError('worker_not_found');
        const view = await readFleet(dependencies, shardCount);
        const lease = findDrainable(view, workerId);
        const outcome = await requestDrain(dependencies, lease);
        if (outcome !== 'requested') throw new AppError(drainProblems[outcome]);
        logger.info('drain requested', { workerId, taskId: lease.taskId, correlationId });
        return { status: 202, json: toWorkerView({ ...lease, drainRequested: true }, view, clock.nowMs()) };
      },
    }),
  ];
}

/** The errors of a drain whose worker changed between the read and the write. */
const drainProblems = {
  missing: 'worker_not_found',
  draining: 'worker_already_draining',
  dead: 'worker_dead',
} as const satisfies Record<string, ErrorCode>;

/**
 * Finds the lease of a worker that may be asked to drain. That another worker remains is looked up and not locked: two
 * operators who drain the last two workers at the same moment are both let through. Their shards are then released, and
 * the next worker to start claims them.
 */
function findDrainable({ leases }: FleetView, workerId: WorkerId): LeaseView {
  const lease = leases.find((candidate) => candidate.workerId === workerId);
  if (lease === undefined) throw new AppError('worker_not_found');
  if (lease.state === 'DEAD') throw new AppError('worker_dead');
  if (lease.state === 'DRAINING' || lease.drainRequested) throw new AppError('worker_already_draining');
  const remains = leases.some(
    (other) => other.workerId !== workerId && other.state === 'ALIVE' && !other.drainRequested,
  );
  if (!remains) throw new AppError('last_worker');
  return lease;
}

function toFleetView(view: FleetView, nowMs: number): z.infer<typeof fleetViewSchema> {
  const { leases, shards, leadership } = view;
  const { leader, deputy } = leadership;
  const living = leases.filter(({ state }) => state !== 'DEAD');
  const orphans = new Set(orphansOf(view).map(({ shard }) => shard));
  return {
    // Each worker acts on its own orders, so the mode has ended only when the orders of all workers have changed.
    mode: living.some(({ orders }) => orders.mode === 'outage') ? 'outage' : 'normal',
    // The figures of dead workers do not count: what they reported last is no longer true.
    brake: living.some(({ workerId, load }) => load.braking && (workerId === leader || workerId === deputy)),
    leader,
    deputy,
    unowned: orphans.size,
    workers: [...living.sort(byId), ...recentlyDead(leases, nowMs)].map((lease) => toWorkerView(lease, view, nowMs)),
    shards: shards.map((row) => ({ ...row, orphaned: orphans.has(row.shard) })),
    movesInFlight: shards.flatMap(({ shard, owner, next }) =>
      owner === undefined || next === undefined ? [] : [{ shard, from: owner, to: next }],
    ),
  };
}

/**
 * Workers that died lately, judged by their last heartbeat: no lease says when it was found dead, and that is seldom
 * more than half a minute later.
 */
function recentlyDead(leases: readonly LeaseView[], nowMs: number): readonly LeaseView[] {
  return leases
    .filter(({ state, seenAtMs }) => state === 'DEAD' && nowMs - seenAtMs <= DEAD_SHOWN_MS)
    .sort((left, right) => right.seenAtMs - left.seenAtMs)
    .slice(0, DEAD_SHOWN_AT_MOST);
}

/** Compares by id. Ids sort by the time at which they were made. */
function byId(left: LeaseView, right: LeaseView): number {
  return left.workerId < right.workerId ? -1 : 1;
}

function toWorkerView(lease: LeaseView, view: FleetView, nowMs: number): z.infer<typeof workerViewSchema> {
  const { connections, online, waiting, opened, openFailed, suspendedMs } = lease.load;
  return {
    id: lease.workerId,
    task: lease.taskId,
    state: lease.state,
    generation: lease.deployGeneration,
    zone: lease.zone,
    startedAt: new Date(lease.startedAtMs).toISOString(),
    lastHeartbeatAt: new Date(lease.seenAtMs).toISOString(),
    proof: lease.proof,
    load: { connections, online, waiting, opened, openFailed, suspendedMs },
    shards: ownedBy(view, lease.workerId).length,
    drainRequested: lease.drainRequested,
    full: lease.load.full,
    recycle: lease.load.recycle,
    suspended: lease.state !== 'DEAD' && nowMs - lease.seenAtMs > FENCE_MS,
  };
}
