import { TenantHold, type HoldableConnection } from '../../shared/connection/tenantHold.ts';
import { enqueueCommand, type CommandQueue, type ControlKind } from '../../shared/message/command.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { TenantStanding } from '../../shared/identity/standing.ts';
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
 *
 * Those of a tenant that is being deleted end, each as by its own deletion. That is left to do until none is there any more.
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

/** What becomes of the connections and webhooks of a tenant, by what is to be done. */
const rules = {
  suspend: {
    control: 'stop',
    holds: 'suspended',
    isRight: ({ connection }) => connection.wanted !== 'online',
    write: (hold, connection) => hold.hold(connection),
  },
  resume: {
    control: 'start',
    holds: 'active',
    isRight: ({ connection, isHeld }) => !isHeld || connection.wanted !== 'off',
    write: (hold, connection) => hold.letGo(connection),
  },
  delete: {
    control: 'unlink',
    holds: 'deleting',
    isRight: () => false,
    write: (hold, connection) => hold.end(connection),
  },
} as const satisfies Record<TenantWork['work'], WorkRule>;

interface WorkRule {
  readonly control: ControlKind;
  /** How a tenant stands meanwhile, and so whether its webhooks hold their deliveries. */
  readonly holds: TenantStanding['state'];
  /** Whether a connection is as it should be. */
  readonly isRight: (found: HoldableConnection) => boolean;
  readonly write: (hold: TenantHold, connection: Connection) => Promise<'written' | 'overtaken'>;
}

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
  const { holds } = rules[work];
  let changed = 0;
  for await (const endpoint of listHoldable(dependencies, tenantId)) {
    const isRight = endpoint.isHeld === (holds !== 'active');
    if (!isRight && (await setHeld(dependencies, endpoint, holds)) === 'overtaken') continue;
    if (!isRight) changed += 1;
    if (holds === 'active') await dependencies.onLetGo?.(endpoint);
  }
  return changed;
}

/** Whether the connection was not as it should be, and is now. */
async function workConnection(
  dependencies: TenantWorkDependencies,
  hold: TenantHold,
  { work, correlationId }: TenantWork,
  found: HoldableConnection,
): Promise<boolean> {
  const { control, isRight, write } = rules[work];
  const { connection } = found;
  if (isRight(found) || (await write(hold, connection)) === 'overtaken') return false;
  const { tenantId, connectionId, shard } = connection;
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
