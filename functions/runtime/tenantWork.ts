import { TenantHold, type HoldableConnection } from '../../shared/connection/tenantHold.ts';
import { enqueueCommand, type CommandQueue, type ControlKind } from '../../shared/message/command.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { endTenantWork, type TenantWork, type TenantWorkTable } from '../../shared/tenant/tenantWork.ts';
import { listHoldable, setHeld, type HoldableEndpoint } from '../../shared/webhook/tenantWebhooks.ts';

/**
 * Brings the connections and webhooks of a tenant to how it stands. The request of the operator makes a first pass, and reconcile others, each
 * minute, until nothing is left to do: each pass looks at all connections and changes those that are not as they should be.
 *
 * - The process dies after any call: the next pass finds what is left. A connection that was switched and whose command is missing
 *   is found by its owner when it lists its connections, within 30 s.
 * - The tenant is resumed in the middle of a suspension, or the other way about: each write has how the tenant stands as its
 *   condition, so the pass that was overtaken changes nothing more, and the later one sees what it left.
 * - A request of the tenant that began before its suspension switches a connection on: a later pass switches it off.
 */
export interface TenantWorkDependencies extends TenantWorkTable, CommandQueue, Pick<Surroundings, 'clock' | 'logger'> {
  /** A listener that is told of each webhook that posts again, at each pass. */
  readonly onLetGo?: (endpoint: HoldableEndpoint) => Promise<void>;
}

/**
 * How long after it was asked for all is looked at once more, in milliseconds: functions know a key for half a minute, and a request that
 * they have let in ends within another; and a delivery that saw its webhook held keeps itself within that time.
 */
const SETTLED_MS = 90_000;

const commandOf = { suspend: 'stop', resume: 'start' } as const satisfies Record<TenantWork['work'], ControlKind>;

/**
 * Makes a pass, as far as there is time, and ends the work where nothing was left to do.
 * @param mayGoOn whether there is time left
 */
export async function workTenant(
  dependencies: TenantWorkDependencies,
  work: TenantWork,
  mayGoOn: () => boolean,
): Promise<'done' | 'later'> {
  const { clock, logger } = dependencies;
  const { tenantId, correlationId } = work;
  const hold = new TenantHold(dependencies);
  let changed = await workWebhooks(dependencies, work);
  for await (const found of hold.list(tenantId)) {
    if (!mayGoOn()) return 'later';
    if (await workConnection(dependencies, hold, work, found)) changed += 1;
  }
  logger.info('connections and webhooks of a tenant follow how it stands', {
    tenantId,
    correlationId,
    work: work.work,
    count: changed,
  });
  if (changed > 0 || clock.nowMs() - work.sinceMs < SETTLED_MS) return 'later';
  await endTenantWork(dependencies, work);
  return 'done';
}

async function workWebhooks(dependencies: TenantWorkDependencies, { tenantId, work }: TenantWork): Promise<number> {
  const toHold = work === 'suspend';
  let changed = 0;
  for await (const endpoint of listHoldable(dependencies, tenantId)) {
    const isRight = endpoint.isHeld === toHold;
    if (!isRight && (await setHeld(dependencies, endpoint, toHold)) === 'overtaken') continue;
    if (!isRight) changed += 1;
    if (!toHold) await dependencies.onLetGo?.(endpoint);
  }
  return changed;
}

/** Whether the connection was not as it should be, and is now. */
async function workConnection(
  dependencies: TenantWorkDependencies,
  hold: TenantHold,
  { work, correlationId }: TenantWork,
  { connection, isHeld }: HoldableConnection,
): Promise<boolean> {
  const isRight = work === 'suspend' ? connection.wanted !== 'online' : !isHeld || connection.wanted !== 'off';
  if (isRight) return false;
  const written = await (work === 'suspend' ? hold.hold(connection) : hold.letGo(connection));
  if (written === 'overtaken') return false;
  const { tenantId, connectionId, shard } = connection;
  const control = commandOf[work];
  const command = { version: 1, kind: 'control', control, tenantId, connectionId, correlationId } as const;
  await enqueueCommand(dependencies, shard, command, `${work}-${dependencies.clock.nowMs()}-${connectionId}`).catch(
    (error: unknown) => {
      dependencies.logger.warn('command not queued, the listing makes up for it', {
        connectionId,
        control,
        correlationId,
        error,
      });
    },
  );
  return true;
}
