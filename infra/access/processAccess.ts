import type { TableDefinition } from '../../shared/platform/tables.ts';

/** The processes that call AWS, each with a role of its own. */
export type ProcessName =
  | 'api'
  | 'admin'
  | 'ingest'
  | 'deliver'
  | 'reconcile'
  | 'dispatch'
  | 'media'
  | 'archive'
  | 'stream'
  | 'taskStopped'
  | 'watchdog'
  | 'canary'
  | 'worker'
  | 'restore';

export type TableAction =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'ConditionCheckItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PartiQLInsert'
  | 'PartiQLUpdate'
  | 'PutItem'
  | 'Query'
  | 'Scan'
  | 'UpdateItem';

export interface TableAccess {
  readonly table: TableDefinition['name'];
  /** The access is to the index of connections by shard instead of to the table. */
  readonly onShardIndex?: true;
  /**
   * Beginnings of the partition keys that the process may touch; every key when left out. A star at the end stands for
   * any rest.
   */
  readonly keys?: readonly string[];
  readonly actions: readonly TableAction[];
}

type WorkQueueName = 'commands' | 'events' | 'deliveries' | 'media';
export type QueueName = WorkQueueName | `${WorkQueueName}Dead` | 'slowDeliveries';
type QueueAction =
  'ChangeMessageVisibility' | 'DeleteMessage' | 'GetQueueAttributes' | 'ReceiveMessage' | 'SendMessage';

interface QueueAccess {
  readonly queue: QueueName;
  readonly actions: readonly QueueAction[];
}

/**
 * What is done with objects of the bucket. To read needs the right to open with the bucket's key, and to write that to seal.
 * `ListBucket` lists nothing here: without it S3 says of an object that is not there that it must not be read.
 */
export type ObjectAction =
  'AbortMultipartUpload' | 'DeleteObject' | 'GetObject' | 'ListBucket' | 'ListMultipartUploadParts' | 'PutObject';

export interface ProcessAccess {
  readonly tables: readonly TableAccess[];
  readonly queues: readonly QueueAccess[];
  /** Access to the files of messages; none when left out. */
  readonly objects?: readonly ObjectAction[];
  /** The names of the objects that the process may write; all when left out. */
  readonly writtenObjects?: string;
  /** Whether the process may wrap and unwrap data keys of connections. */
  readonly dataKeys: boolean;
}
