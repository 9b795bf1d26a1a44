import { expect } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import { UnpairedPlaces } from '../../../shared/connection/unpairedPlaces.ts';
import type { ConnectionSettings } from '../../../shared/connection/settings.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Scope } from '../../../shared/kernel/scope.ts';
import { AskedFiles } from '../../../shared/media/askedFiles.ts';
import { MediaStore } from '../../../shared/media/mediaStore.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { ConnectionFiles } from '../../../worker/files/connectionFiles.ts';
import { ConnectionRecorder } from '../../../worker/runner/connectionRecorder.ts';
import { ConnectionRunner } from '../../../worker/runner/connectionRunner.ts';
import { ConnectionRunners } from '../../../worker/runner/connectionRunners.ts';
import { anOutbox, someActions, type Core, type FakePublisher } from '../sending/fakes.ts';
import { FakeSource } from './fakes.ts';
import { aPolicy } from './scripts.ts';
import { eventually } from '../../eventually.ts';

const SPACING_MS = 300;
let facts = 0;

export interface OwnerOptions {
  readonly shard: number;
  /** The shard's epoch. */
  readonly token?: number;
  readonly prepare?: (source: FakeSource) => void;
  /** In place of the table's own, where a test wants writes to fail. */
  readonly connections?: Pick<
    ConnectionStore,
    'find' | 'remove' | 'clearLogout' | 'listOfShard' | 'recordStatus' | 'recordAccount' | 'spendPairing'
  >;
}

/** A worker that owns a shard of its own; sockets are fakes, the table is real. */
export function makeOwner(
  core: Core,
  { shard, token = 1, prepare = () => undefined, connections = core.connections }: OwnerOptions,
) {
  const reads = { listings: 0, records: [] as ConnectionId[] };
  /** The deletions that were told, whether the queue of facts takes none, and whether they are those of a tenant that is deleted. */
  const deletions = { told: [] as ConnectionId[], isDown: false, areForGood: false };
  const sources = new Map<string, FakeSource>();
  const settingsOf = new Map<string, () => ConnectionSettings>();
  const publishers = new Map<string, FakePublisher>();
  const owner = new ConnectionRunners({
    shard,
    token,
    connections: {
      find: (tenantId, connectionId) => {
        reads.records.push(connectionId);
        return connections.find(tenantId, connectionId);
      },
      listOfShard: (of) => {
        reads.listings += 1;
        return connections.listOfShard(of);
      },
      remove: (removed) => connections.remove(removed),
      clearLogout: (of, requestId) => connections.clearLogout(of, requestId),
    },
    unpairedPlaces: new UnpairedPlaces({ ...core, stage: 'test' }),
    messages: core.messages,
    openActions: core.openActions,
    nextFactNumber: () => (facts += 1),
    clock: systemClock,
    logger: silentLogger,
    scope: new Scope('shard'),
    listEveryMs: 100,
    parts: {
      makeOutbox: (owned, socket) => {
        const { outbox, publisher } = anOutbox(core, owned, { token, socket });
        publishers.set(owned.connectionId, publisher);
        return outbox;
      },
      makeFiles: (owned, socket) =>
        new ConnectionFiles({
          owned,
          media: new MediaStore({ ...core, stage: 'test', clock: systemClock }),
          askedFiles: new AskedFiles({ ...core, stage: 'test', clock: systemClock }),
          messages: core.messages,
          assertOpen: () => undefined,
          clock: systemClock,
          logger: silentLogger,
          socket,
        }),
      makeActions: (owned, socket) => someActions(core, owned, { token, overrides: { socket } }).desk,
      tellDeleted: async ({ connectionId }) => {
        if (deletions.isDown) throw new Error('the events queue is down');
        deletions.told.push(connectionId);
      },
      isForGood: () => Promise.resolve(deletions.areForGood),
      makeSocketSource: ({ connectionId }, settings) => {
        settingsOf.set(connectionId, settings);
        const source = new FakeSource();
        prepare(source);
        sources.set(connectionId, source);
        return source;
      },
      makeRunner: ({ owned, openedAtMs, sockets, scope, sending, shown, nextFactNumber, onStopped }) => {
        const runner: ConnectionRunner = new ConnectionRunner({
          policy: () => ({ ...aPolicy, openSpacingMs: SPACING_MS }),
          readOwnership: async () => 'owned',
          openedAtMs,
          clock: systemClock,
          random: systemRandom,
          logger: silentLogger,
          sockets,
          scope,
          sending,
          recorder: new ConnectionRecorder({
            owned,
            connections,
            history: { put: async () => 'stored' },
            offers: { put: async () => 'stored', remove: async () => undefined },
            publisher: { publish: async () => undefined },
            assertOpen: () => undefined,
            clock: systemClock,
            random: systemRandom,
            logger: silentLogger,
            settleMs: 5_000,
            shown,
            nextFactNumber,
            onLost: () => runner.deliver({ type: 'ownership_lost' }),
          }),
          takeTurn: async () => () => undefined,
          onStopped,
          onBroken: () => undefined,
        });
        return runner;
      },
    },
  });
  const sourceOf = async ({ connectionId }: Connection): Promise<FakeSource> => {
    await eventually(() => expect(sources.get(connectionId)?.opened.length).toBeGreaterThan(0));
    const source = sources.get(connectionId);
    if (source === undefined) throw new Error('nothing was opened');
    return source;
  };
  return { owner, sources, publishers, sourceOf, settingsOf, reads, deletions };
}
