import { deadLetters } from './access.ts';
import type { ProcessAccess } from './processAccess.ts';

/**
 * The access that a person's role needs for `npm run ops`, beside an operator key for all that goes through the API.
 */
export type OperatorTask = 'operations';

/** The rows use the words of the table of processes. No function and no worker gets this access. */
export const operatorAccess: Readonly<Record<OperatorTask, ProcessAccess>> = {
  operations: {
    tables: [
      // `create-operator-key` writes a key and its entry of audit; `redrive` looks up the shard of a connection.
      { table: 'core', keys: ['KEY#*', 'AUDIT#OPERATORS'], actions: ['PutItem'] },
      { table: 'core', keys: ['TENANT#*'], actions: ['GetItem'] },
    ],
    queues: [
      { queue: 'commands', actions: ['GetQueueAttributes', 'SendMessage'] },
      { queue: 'events', actions: ['GetQueueAttributes', 'SendMessage'] },
      { queue: 'deliveries', actions: ['GetQueueAttributes', 'SendMessage'] },
      { queue: 'slowDeliveries', actions: ['GetQueueAttributes'] },
      { queue: 'media', actions: ['GetQueueAttributes', 'SendMessage'] },
      { queue: 'commandsDead', actions: deadLetters },
      { queue: 'eventsDead', actions: deadLetters },
      { queue: 'deliveriesDead', actions: deadLetters },
      { queue: 'mediaDead', actions: deadLetters },
    ],
    dataKeys: false,
  },
};
