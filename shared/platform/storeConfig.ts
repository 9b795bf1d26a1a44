import { z } from 'zod';
import { planSettings, type Plans } from './planConfig.ts';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** Settings that lead to the stores, which every process has that uses them. */
export const storeSettings = {
  /** The AWS region of the stores; us-east-1 when left out. */
  AWS_REGION: z.string().min(1).default('us-east-1'),
  /** The name of the stage, with which the names of tables and queues begin. Required. */
  HOLDFAST_STAGE: z.string().regex(/^[a-z][a-z0-9-]{0,15}$/),
  /** The URL of DynamoDB; AWS's own when left out. */
  HOLDFAST_DYNAMODB_ENDPOINT: z.url().optional(),
  /** The URL of SQS; AWS's own when left out. */
  HOLDFAST_SQS_ENDPOINT: z.url().optional(),
  /** The part of a queue's URL that stands before its name: it ends with the account id and a slash. Required. */
  HOLDFAST_QUEUE_URL_BASE: z.url().endsWith('/'),
  /** The number of shards; 4 when left out. Shards are only ever added. */
  HOLDFAST_SHARD_COUNT: z.coerce.number().int().min(1).max(5_000).default(4),
  /**
   * The number of queues for facts, by which the shards are spread; 1 when left out. It may only ever grow
   * (docs/operating.md, "More queues for events").
   */
  HOLDFAST_EVENT_QUEUES: z.coerce.number().int().min(1).max(64).default(1),
  /** The greatest number of connections that are placed on a shard; 50 when left out. */
  HOLDFAST_SHARD_CAP: z.coerce.number().int().min(1).max(100).default(50),
  /** The least severe level of log lines that are written; `info` when left out. */
  HOLDFAST_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /**
   * The greatest number of network connections to one store; 200 when left out. A store that answers after two seconds is
   * asked a hundred things a second with them. They are opened when they are needed, and end when they are not.
   */
  DATABASE_MAX_CONNECTIONS: z.coerce.number().int().positive().default(200),
  ...planSettings,
  /** The deadline of a call to a store, all its tries together, in milliseconds; 5 s when left out. */
  HOLDFAST_STORE_TIMEOUT_MS: milliseconds(5_000),
} as const;

const schema = z.object(storeSettings);

export interface StoreConfig {
  readonly stage: string;
  readonly region: string;
  readonly dynamoDbEndpoint: string | undefined;
  readonly sqsEndpoint: string | undefined;
  readonly queueUrlBase: string;
  readonly shardCount: number;
  readonly shardCap: number;
  readonly plans: Plans;
  readonly eventQueues: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly maxConnections: number;
  readonly storeTimeoutMs: number;
  /** Left out on AWS, where the process has a role. The emulators check none, but the SDK calls nobody without. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The configuration from the settings. */
export function toStores(value: z.infer<typeof schema>): StoreConfig {
  return {
    stage: value.HOLDFAST_STAGE,
    region: value.AWS_REGION,
    dynamoDbEndpoint: value.HOLDFAST_DYNAMODB_ENDPOINT,
    sqsEndpoint: value.HOLDFAST_SQS_ENDPOINT,
    queueUrlBase: value.HOLDFAST_QUEUE_URL_BASE,
    shardCount: value.HOLDFAST_SHARD_COUNT,
    shardCap: value.HOLDFAST_SHARD_CAP,
    plans: value.HOLDFAST_PLANS,
    eventQueues: value.HOLDFAST_EVENT_QUEUES,
    logLevel: value.HOLDFAST_LOG_LEVEL,
    maxConnections: value.DATABASE_MAX_CONNECTIONS,
    storeTimeoutMs: value.HOLDFAST_STORE_TIMEOUT_MS,
  };
}
