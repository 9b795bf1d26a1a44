import { createHash } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { LRUCache } from 'lru-cache';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { eventDirectoryKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { EventLogDependencies, Lane } from './eventLog.ts';

/**
 * Lanes of the event log. A generation has a fixed number of them, which its number alone says: 1 lane in generation 0,
 * then twice as many in each that follows, to 64. A connection's lane is a hash of its id, so all of its events in a
 * generation have one order. After a restore of the table an **era** begins: generations with numbers that were never
 * used, so that no id is given a second time (`eventEras`).
 *
 * The directory says which generation writers use and which ones came before. What if a process goes by an old directory:
 * every lane of a generation is sealed before the directory names the next (`eventGrowth`), and a sealed lane gives no
 * places. So it is refused, and looks again.
 */

/** The number of generations of an era: 1, 2, 4, 8, 16, 32 and 64 lanes. */
const LEVELS = 7;
/** The time for which a process goes by the directory that it has read, in milliseconds. */
const DIRECTORY_MS = 5_000;
const DIRECTORIES_KEPT = 5_000;

/** Where a tenant's events go, and where the ones before them are. */
export interface EventDirectory {
  /** The generation that writers use. */
  readonly generation: number;
  /** The generations before it, oldest first. */
  readonly past: readonly PastGeneration[];
  /** The generation that is to follow, while the lanes are being sealed. */
  readonly growsTo?: number | undefined;
  /** Present where the tenant is being deleted, and no event comes any more. */
  readonly isEnded?: true | undefined;
}

export interface PastGeneration {
  readonly generation: number;
  readonly endedAtMs: number;
}

/** The number of lanes of a generation. */
export function lanesIn(generation: number): number {
  return 2 ** (generation % LEVELS);
}

/** The generation with twice as many lanes; undefined when there are to be no more. */
export function largerThan(generation: number): number | undefined {
  return generation % LEVELS === LEVELS - 1 ? undefined : generation + 1;
}

/** The generation of the next era with as many lanes. */
export function eraAfter(generation: number): number {
  return generation + LEVELS;
}

/** The lane of a connection in a generation. */
export function laneIn(generation: number, connectionId: ConnectionId): Lane {
  const hash = createHash('sha256').update(connectionId).digest().readUInt32BE(0);
  return { generation, lane: hash % lanesIn(generation) };
}

/** The lane into which a connection's events go, by a directory that was read in the last few seconds. */
export async function laneOf(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<Lane> {
  const { generation } = await recentDirectory(dependencies, tenantId);
  return laneIn(generation, connectionId);
}

/** Whether a tenant's log takes no events any more, by a directory that was read in the last few seconds. */
export async function isLogEnded(dependencies: EventLogDependencies, tenantId: TenantId): Promise<boolean> {
  return (await recentDirectory(dependencies, tenantId)).isEnded === true;
}

async function recentDirectory(dependencies: EventLogDependencies, tenantId: TenantId): Promise<EventDirectory> {
  const known = directoriesOf(dependencies).get(tenantId);
  const isFresh = known !== undefined && dependencies.clock.monotonicMs() - known.readAtMs < DIRECTORY_MS;
  return isFresh ? known.directory : readDirectory(dependencies, tenantId);
}

/** Reads the directory of a tenant's log, strongly consistent; it is then known to {@link laneOf}. */
export async function readDirectory(dependencies: EventLogDependencies, tenantId: TenantId): Promise<EventDirectory> {
  const readAtMs = dependencies.clock.monotonicMs();
  const answer = await dependencies.table.send(
    new GetCommand({
      TableName: tableName(dependencies.stage, 'core'),
      Key: eventDirectoryKey(tenantId),
      ConsistentRead: true,
    }),
  );
  const directory: EventDirectory = {
    generation: (answer.Item?.['generation'] as number | undefined) ?? 0,
    past: (answer.Item?.['past'] as readonly PastGeneration[] | undefined) ?? [],
    growsTo: answer.Item?.['growsTo'] as number | undefined,
    isEnded: answer.Item?.['isEnded'] as true | undefined,
  };
  directoriesOf(dependencies).set(tenantId, { directory, readAtMs });
  return directory;
}

interface KnownDirectory {
  readonly directory: EventDirectory;
  readonly readAtMs: number;
}

/** The directories that a process knows, with the client by which it has read them. */
const known = new WeakMap<object, LRUCache<TenantId, KnownDirectory>>();

function directoriesOf({ table }: EventLogDependencies): LRUCache<TenantId, KnownDirectory> {
  let directories = known.get(table);
  if (directories === undefined) {
    directories = new LRUCache({ max: DIRECTORIES_KEPT });
    known.set(table, directories);
  }
  return directories;
}
