import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CommitGate } from '../../worker/fleet/gate.ts';
import type { FleetMemberOptions } from '../../worker/fleet/fleetMember.ts';
import { FleetStore } from '../../worker/fleet/fleetStore.ts';
import type { WorkerWorld } from '../../worker/world.ts';
import { STAGE, type Rewrite } from './simulatedAws.ts';
import type { SendOrder } from './simulatedSocket.ts';

/** How a protocol may be broken on purpose, to show that the checker finds it. Everything left out is as it should be. */
export interface Variant {
  readonly name: string;
  /** What goes wrong, in a sentence. */
  readonly fault: string;
  readonly rewrite?: Rewrite;
  readonly order?: Partial<SendOrder>;
  readonly hooks?: Hooks;
  /** Faults that bring it to light; a run of the variant has no others. All if left out. */
  readonly faultNames?: readonly string[];
  /** How wrong wall clocks are from the start, at most. */
  readonly skewMs?: number;
}

/** Where a worker can be changed from outside, for variants alone. */
export interface Hooks {
  readonly gate?: (gate: CommitGate) => CommitGate;
  readonly member?: (options: FleetMemberOptions, world: WorkerWorld) => FleetMemberOptions;
}

export const correct: Variant = { name: 'correct', fault: 'none' };

type Update = UpdateCommand['input'];

const rewriteUpdate =
  (change: (input: Update) => Update): Rewrite =>
  (command) =>
    command instanceof UpdateCommand ? new UpdateCommand(change(command.input)) : command;

/** DynamoDB refuses values that no expression uses. */
function without(
  values: Record<string, unknown> | undefined,
  ...names: readonly string[]
): Record<string, unknown> | undefined {
  return values && Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

const isHeartbeat = (input: Update): boolean => input.UpdateExpression?.startsWith('SET heartbeat') === true;

export const brokenVariants: readonly Variant[] = [
  {
    name: 'no-self-fence',
    faultNames: ['pause', 'partition of one from the store'],
    fault: 'a worker goes on although none of its heartbeats is answered',
    hooks: {
      gate: (gate) => ({
        ...gate,
        isOpen: () => true,
        assertOpen: () => undefined,
        timeLeftMs: () => 5_000,
        whenOpen: async () => undefined,
      }),
    },
  },
  {
    name: 'epoch-only-fence',
    faultNames: ['duplicated requests', 'late requests'],
    fault: 'session items are written under the epoch alone, and not under the version that was read',
    rewrite: (command) => {
      if (!(command instanceof PutCommand) || command.input.ConditionExpression === undefined) return command;
      const { input } = command;
      if (input.TableName?.endsWith('-sessions') !== true) return command;
      return new PutCommand({
        ...input,
        ConditionExpression: 'attribute_not_exists(epoch) OR epoch <= :mine',
        ExpressionAttributeNames: undefined,
        ExpressionAttributeValues: { ':mine': input.Item?.['epoch'] },
      });
    },
  },
  {
    name: 'missing-lease-lets-writes-through',
    faultNames: ['sleep past the expiry of the lease'],
    fault: 'a heartbeat to a lease that is gone makes a new one and keeps the worker going',
    rewrite: rewriteUpdate((input) =>
      isHeartbeat(input)
        ? {
            ...input,
            UpdateExpression: input.UpdateExpression?.replace(
              'heartbeat = heartbeat + :one',
              'heartbeat = if_not_exists(heartbeat, :one) + :one',
            ),
            ConditionExpression: `attribute_not_exists(pk) OR #state IN (:alive, :draining)`,
          }
        : input,
    ),
  },
  {
    name: 'claim-without-observed-heartbeat',
    faultNames: ['silent for about a death'],
    fault: 'a death is written whatever heartbeat has come since it was observed',
    rewrite: rewriteUpdate((input) => ({
      ...input,
      ConditionExpression: input.ConditionExpression?.replace(' AND heartbeat = :observed', ''),
      ExpressionAttributeValues: without(input.ExpressionAttributeValues, ':observed'),
    })),
  },
  {
    name: 'give-before-sockets-closed',
    faultNames: ['deploy', 'scale in', 'scale out'],
    fault: 'a shard is handed over while its owner still ends its work',
    hooks: {
      member: (options) => ({
        ...options,
        onLeaving: async (shard) => {
          void options.onLeaving(shard).catch(() => undefined);
        },
      }),
    },
  },
  {
    name: 'commit-after-wire',
    faultNames: ['crash before a commit'],
    fault: 'the ciphertext leaves before its ratchet step is durable, as in the library itself',
    order: { commitAfterWire: true },
  },
  {
    name: 'made-anew',
    fault: 'each try makes its message anew, instead of sending what the first has kept',
    order: { makeAnew: true },
  },
  {
    name: 'gate-not-asked-again',
    faultNames: ['pause after a commit'],
    fault: 'the gate is not asked between the commit and the wire',
    order: { skipGateAfterCommit: true },
    hooks: { gate: (gate) => ({ ...gate, whenOpen: async () => undefined }) },
  },
  {
    name: 'stored-expiry',
    faultNames: ['clock step'],
    skewMs: 5_000,
    fault: 'deaths are computed from a time that the worker stored by its own wall clock',
    hooks: {
      member: (options, world) => ({ ...options, store: new StoredExpiryStore(options, world) }),
    },
  },
  {
    name: 'heartbeat-of-the-dead',
    faultNames: ['pause', 'partition of one from the store'],
    fault: 'a heartbeat is taken although the lease is DEAD',
    rewrite: rewriteUpdate((input) =>
      isHeartbeat(input)
        ? {
            ...input,
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: without(input.ExpressionAttributeValues, ':alive', ':draining'),
          }
        : input,
    ),
  },
];

/** Looks at the fleet as the right one does, and then kills whose stored time is older than a death by its own clock. */
class StoredExpiryStore extends FleetStore {
  readonly #options: FleetMemberOptions;

  constructor(options: FleetMemberOptions, { fleetTable }: WorkerWorld) {
    super(fleetTable, STAGE);
    this.#options = options;
  }

  override async read(shardCount: number) {
    const view = await super.read(shardCount);
    const { clock, config, lease: own } = this.#options;
    for (const lease of view.leases) {
      const isOver = clock.nowMs() - lease.seenAtMs > config.deathMs;
      if (lease.state === 'DEAD' || lease.workerId === own.workerId || !isOver) continue;
      await this.declareDead({ ...lease, observedHeartbeat: lease.heartbeat }, clock.nowMs());
    }
    return view;
  }
}
