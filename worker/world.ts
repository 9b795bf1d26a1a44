import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { systemClock } from '../shared/kernel/clock.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import type { Scope } from '../shared/kernel/scope.ts';
import {
  makeDocumentClient,
  makeHeartbeatClient,
  makeKeyClient,
  makePollingClient,
  makeQueueClient,
} from '../shared/platform/aws.ts';
import type { Breakers } from '../shared/platform/breakers.ts';
import type { ClientGuards } from '../shared/platform/callGuards.ts';
import { taskProtectionUrl, type WorkerConfig } from '../shared/platform/config.ts';
import { makeKmsKeyProvider, makeLocalKeyProvider, type KeyProvider } from '../shared/platform/keyProvider.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import { makeTaskProtector } from './ecsTask.ts';
import type { CommitGate } from './fleet/gate.ts';
import type { ProtectTask } from './fleet/taskProtection.ts';
import { startFleetMember, type FleetMember, type FleetMemberOptions } from './fleet/fleetMember.ts';
import type { ConnectionSocket } from './socket/port/connectionSocket.ts';
import { openSocket } from './socket/openSocket.ts';
import { prepareProcess } from './socket/repairs/prepareProcess.ts';
import type { OpenSocketOptions } from './socket/port/socketOptions.ts';

/** The world outside a worker: time, chance, stores, queues, the fleet, sockets. */
export interface WorkerWorld extends Pick<Surroundings, 'clock' | 'random'> {
  /** The client for leases and ownership alone, so that traffic cannot delay them. */
  readonly fleetTable: DynamoDBDocumentClient;
  /**
   * Makes the clients for all other calls. Each try of each call asks first whether this worker may act, and no call
   * lasts longer than the gate is sure to stay open.
   */
  readonly connect: (gate: Pick<CommitGate, 'assertOpen' | 'timeLeftMs'>) => {
    readonly table: DynamoDBDocumentClient;
    readonly acting: SQSClient;
  };
  /** The client for receives only: its deadline is past the longest wait. */
  readonly polling: SQSClient;
  readonly keyProvider: KeyProvider;
  readonly joinFleet: (options: FleetMemberOptions) => Promise<FleetMember>;
  /** Protects the task from being stopped by a deploy; undefined where there is no ECS. */
  readonly protectTask?: ProtectTask | undefined;
  readonly openSocket: (options: OpenSocketOptions) => ConnectionSocket;
}

/**
 * Makes the real world, with one client for each service and purpose. Prepares the process for the socket room; called
 * once.
 * @param scope the scope of the clients' network connections
 */
export function makeWorkerWorld(config: WorkerConfig, breakers: Breakers, scope: Scope): WorkerWorld {
  const own = <Client extends SdkClient>(client: Client): Client => {
    // A document client's own `destroy` does nothing.
    scope.hold('socket', () => client.config.requestHandler.destroy?.());
    return client;
  };
  prepareProcess({ rootKey: config.whatsappRootKey });
  const protectionUrl = taskProtectionUrl();
  return {
    clock: systemClock,
    random: systemRandom,
    fleetTable: own(makeHeartbeatClient(config, config.ownership.heartbeatTimeoutMs)),
    connect: ({ assertOpen, timeLeftMs }) => {
      const guards = { beforeTry: assertOpen, timeLeftMs, breakers };
      return { table: own(makeDocumentClient(config, guards)), acting: own(makeQueueClient(config, guards)) };
    },
    polling: own(makePollingClient(config, config.shardCount, config.connections.commandWaitSeconds)),
    keyProvider: makeKeyProvider(config, { breakers }),
    joinFleet: startFleetMember,
    protectTask: protectionUrl === undefined ? undefined : makeTaskProtector(protectionUrl),
    openSocket,
  };
}

interface SdkClient {
  readonly config: { readonly requestHandler: { readonly destroy?: () => void } };
}

/** Makes the key provider that is configured. */
export function makeKeyProvider(config: WorkerConfig, guards: ClientGuards = {}): KeyProvider {
  if (config.keyFile !== undefined) return makeLocalKeyProvider(config.keyFile);
  if (config.kmsKeyArn !== undefined) return makeKmsKeyProvider(makeKeyClient(config, guards), config.kmsKeyArn);
  throw new Error('neither a KMS key nor a key file is configured');
}
