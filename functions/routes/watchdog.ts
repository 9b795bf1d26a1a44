import { z } from 'zod';
import type { FleetTable } from '../../shared/fleet/fleetTable.ts';
import { route, type Route } from '../http/route.ts';
import { rungs } from '../watchdog/ladders.ts';
import { readMemory, stepOutcomes, stepReasons, STEPS_KEPT, type RecordedStep } from '../watchdog/watchdogMemory.ts';

const at = z.iso.datetime();
const count = z.number().int();

const stepSchema = z
  .object({
    at,
    rung: z.enum(rungs).meta({ description: 'What it did.' }),
    attempt: count.meta({ description: 'The how manieth step for the same connection or worker, since it was well.' }),
    reason: z.enum(stepReasons).meta({
      description: 'mute: a worker that shows heartbeats and no digests; silent: one without heartbeats.',
    }),
    worker: z.string(),
    tenant: z.string().optional(),
    connection: z.string().optional(),
    shard: count.optional(),
    outcome: z.enum(stepOutcomes).meta({
      description: 'alive: the worker showed a heartbeat after all; unknown: the run ended before it was kept.',
    }),
  })
  .meta({ id: 'WatchdogStep' });

const watchdogViewSchema = z
  .object({
    ranAt: at.optional().meta({ description: 'When it last ran; absent before its first run.' }),
    brake: z.boolean().meta({ description: 'So much looks bad at once that it does no more than restart.' }),
    troubled: z
      .array(z.object({ id: z.string(), attempts: count, badAt: at }))
      .meta({ description: 'Connections and workers that it has begun to help and that are not known to be well.' }),
    steps: z.array(stepSchema).meta({ description: `Its last ${STEPS_KEPT} steps, newest first.` }),
  })
  .meta({ id: 'Watchdog' });

/** The route that shows operators what the watchdog has done. */
export function watchdogRoutes(dependencies: FleetTable): readonly Route[] {
  return [
    route('GET', '/v1/admin/watchdog', {
      summary: 'Show what the watchdog has done lately',
      access: 'operator',
      answers: { status: 200, schema: watchdogViewSchema },
      handle: async () => {
        const { memory, version } = await readMemory(dependencies);
        const { connections, muteWorkers, silentWorkers } = memory;
        const json: z.infer<typeof watchdogViewSchema> = {
          ...(version === 0 ? {} : { ranAt: toText(memory.ranAtMs) }),
          brake: memory.isBraking,
          troubled: Object.entries({ ...connections, ...muteWorkers, ...silentWorkers }).map(
            ([id, { attempts, badAtMs }]) => ({ id, attempts, badAt: toText(badAtMs) }),
          ),
          steps: [...memory.steps].reverse().map(toView),
        };
        return { status: 200, json };
      },
    }),
  ];
}

function toText(atMs: number): string {
  return new Date(atMs).toISOString();
}

function toView({
  atMs,
  rung,
  attempt,
  reason,
  workerId: worker,
  tenantId: tenant,
  connectionId: connection,
  shard,
  outcome,
}: RecordedStep): z.infer<typeof stepSchema> {
  return { at: toText(atMs), rung, attempt, reason, worker, tenant, connection, shard, outcome };
}
