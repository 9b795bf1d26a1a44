import type { SQSClient } from '@aws-sdk/client-sqs';
import type { OpenActions } from '../../shared/action/openActions.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { UnpairedPlaces } from '../../shared/connection/unpairedPlaces.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { commandQueueName, deadLetterNameOf } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { handleCommand } from './commandHandler.ts';
import { CommandPoller } from './commandPoller.ts';
import { ConnectionRunners } from '../runner/connectionRunners.ts';
import type { ConnectionParts } from '../runner/heldConnection.ts';
import type { ShardWork } from './ownedShards.ts';

export interface ShardWorkDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly stage: string;
  readonly queueUrlBase: string;
  readonly polling: SQSClient;
  readonly acting: SQSClient;
  readonly connections: ConnectionStore;
  readonly unpairedPlaces: Pick<UnpairedPlaces, 'free' | 'expire'>;
  readonly messages: Pick<MessageStore, 'listParked'>;
  readonly openActions: Pick<OpenActions, 'connectionsOf'>;
  readonly parts: ConnectionParts;
  readonly assertOpen: () => void;
  readonly isOpen: () => boolean;
  readonly nextFactNumber: () => number;
  /** The scope of all shards of this worker. */
  readonly scope: Scope;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
}

/** Makes the connections and the command poller of one shard that this worker owns under this epoch. */
export function makeShardWork(dependencies: ShardWorkDependencies, shard: number, epoch: number): ShardWork {
  const { stage, queueUrlBase, acting } = dependencies;
  const logger = dependencies.logger.child({ shard, epoch });
  const scope = dependencies.scope.child(`shard ${shard}`);
  const runners = new ConnectionRunners({ ...dependencies, logger, scope, shard, token: epoch });
  const deadLetterUrl = `${queueUrlBase}${deadLetterNameOf(stage, commandQueueName(stage, shard), shard + 1)}`;
  const poller = new CommandPoller({
    ...dependencies,
    logger,
    queueUrl: `${queueUrlBase}${commandQueueName(stage, shard)}`,
    handle: (record) =>
      handleCommand(
        {
          hold: ({ tenantId, connectionId }) => runners.hold(tenantId, connectionId),
          acting,
          deadLetterUrl,
          logger,
        },
        record,
      ),
  });
  scope.hold('other', () => poller.abandon());
  return { runners, poller, scope };
}
