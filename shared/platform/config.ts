import { z } from 'zod';
import { canarySchema, toCanary, type CanaryConfig } from './canaryConfig.ts';
import { connectionSettings, toConnections, type ConnectionConfig } from './connectionConfig.ts';
import { parseEnvironment, type Environment } from './environment.ts';
import { livenessSettings, toLiveness, type LivenessConfig } from './livenessConfig.ts';
import { ownershipSettings, toOwnership, type OwnershipConfig } from './ownershipConfig.ts';
import { toVitals, vitalsSettings, type VitalsConfig } from './vitalsConfig.ts';
import {
  digestSettings,
  toDigest,
  toWatchdogRules,
  watchdogSettingRules,
  watchdogSettings,
  type DigestConfig,
  type WatchdogRules,
} from './watchdogConfig.ts';

/**
 * The only reader of the environment. One schema per process kind, parsed once at start, frozen. A message names the
 * variable, the rule and the value received; no setting is a secret: keys are named, never given. Names that begin with one of our prefixes and are
 * unknown fail, so a typing error is not silently a default.
 */
const OUR_PREFIXES = ['HOLDFAST_', 'WHATSAPP_', 'BAILEYS_', 'DATABASE_'] as const;

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** Where the stores are. Endpoints are left out on AWS; `HOLDFAST_QUEUE_URL_BASE` ends with the account id and a slash. */
const stores = {
  AWS_REGION: z.string().min(1).default('us-east-1'),
  HOLDFAST_STAGE: z.string().regex(/^[a-z][a-z0-9-]{0,15}$/),
  HOLDFAST_DYNAMODB_ENDPOINT: z.url().optional(),
  HOLDFAST_SQS_ENDPOINT: z.url().optional(),
  HOLDFAST_QUEUE_URL_BASE: z.url().endsWith('/'),
  HOLDFAST_SHARD_COUNT: z.coerce.number().int().min(1).max(5_000).default(4),
  HOLDFAST_SHARD_CAP: z.coerce.number().int().min(1).max(100).default(50),
  HOLDFAST_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DATABASE_MAX_CONNECTIONS: z.coerce.number().int().positive().default(50),
  HOLDFAST_STORE_TIMEOUT_MS: milliseconds(5_000),
} as const;

const whatsapp = {
  /** Where the WhatsApp server is; another compatible server can be named together with its certificate authority. */
  WHATSAPP_URL: z.url({ protocol: /^wss?$/ }).default('wss://web.whatsapp.com/ws/chat'),
  /** Public key of the authority that signs the server's Noise certificate, 32 bytes in hex; WhatsApp's own if left out. */
  WHATSAPP_ROOT_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .optional(),
  /** Version of WhatsApp's client that sockets claim to be, until an operator names one; the vetted one if left out. */
  WHATSAPP_VERSION: z
    .string()
    .regex(/^\d{1,3}\.\d{1,5}\.\d{1,12}$/, 'must be three numbers, such as 2.3000.1043857760')
    .optional(),
  /** How often a worker looks whether an operator has named another version. */
  WHATSAPP_VERSION_READ_MS: milliseconds(30_000),
} as const;

const keys = {
  /** ARN of the KMS key that wraps data keys. Exactly one of this and the local key file must be given. */
  HOLDFAST_KMS_KEY_ARN: z.string().startsWith('arn:').optional(),
  /** File with the 32-byte root key of the embedded stack, mode 0600. */
  HOLDFAST_KEY_FILE: z.string().min(1).optional(),
} as const;

const apiSchema = z.object({ ...stores });
const ingestSchema = z.object({ ...stores });
const deliverSchema = z.object({ ...stores, HOLDFAST_WEBHOOK_TIMEOUT_MS: milliseconds(10_000), ...keys });
const fleetSchema = z.object({ ...stores });
const watchdogSchema = z
  .object({
    ...stores,
    ...digestSettings,
    ...watchdogSettings,
    HOLDFAST_HEARTBEAT_MS: ownershipSettings.HOLDFAST_HEARTBEAT_MS,
    HOLDFAST_FENCE_MS: ownershipSettings.HOLDFAST_FENCE_MS,
    /** ARN of the ECS cluster whose tasks the workers are; any name where there is no ECS. */
    HOLDFAST_ECS_CLUSTER: z.string().min(1),
  })
  .superRefine((value, context) => {
    for (const [name, message, holds] of watchdogSettingRules) {
      if (!holds(value)) context.addIssue({ code: 'custom', message, path: [name] });
    }
  });
/** All of it optional: some commands need the API alone, some the stores alone. */
const opsSchema = z
  .object({
    ...stores,
    HOLDFAST_STAGE: stores.HOLDFAST_STAGE.optional(),
    HOLDFAST_QUEUE_URL_BASE: stores.HOLDFAST_QUEUE_URL_BASE.optional(),
    HOLDFAST_API_URL: z.url({ protocol: /^https?$/ }).optional(),
    /** File with the operator key: arguments and environments are seen by others. */
    HOLDFAST_OPERATOR_KEY_FILE: z.string().min(1).optional(),
  })
  .refine((c) => (c.HOLDFAST_STAGE === undefined) === (c.HOLDFAST_QUEUE_URL_BASE === undefined), {
    message: 'must be given together with HOLDFAST_STAGE',
    path: ['HOLDFAST_QUEUE_URL_BASE'],
  });
const workerSchema = z
  .object({
    ...stores,
    ...whatsapp,
    ...keys,
    ...ownershipSettings,
    ...livenessSettings,
    ...vitalsSettings,
    ...connectionSettings,
    ...digestSettings,
    /** Names the ECS task (or the local child process) that this worker runs in. */
    HOLDFAST_TASK_ID: z.string({ error: 'must name the task: only ECS says so by itself' }).min(1),
    /** Deploy generation: grows with each deploy; workers of a newer one take over from those of older ones. */
    HOLDFAST_GENERATION: z.coerce.number().int().min(0).default(0),
    /** Availability zone, for people. */
    HOLDFAST_ZONE: z.string().min(1).optional(),
    /** Where `/health`, `/health/ready` and `/metrics` answer; port 0 is any free one. */
    HOLDFAST_STATUS_HOST: z.string().min(1).default('127.0.0.1'),
    HOLDFAST_STATUS_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  })
  .refine((c) => c.HOLDFAST_HEARTBEAT_MS <= c.HOLDFAST_FENCE_MS / 3, {
    message: 'must be at most a third of HOLDFAST_FENCE_MS',
    path: ['HOLDFAST_HEARTBEAT_MS'],
  })
  .refine((c) => c.HOLDFAST_FENCE_MS * 1.05 < c.HOLDFAST_DEATH_MS * 0.95, {
    message: 'must leave room before HOLDFAST_DEATH_MS: fence × 1.05 < death × 0.95',
    path: ['HOLDFAST_FENCE_MS'],
  })
  .refine((c) => c.HOLDFAST_HEARTBEAT_TIMEOUT_MS * 2 + c.HOLDFAST_HEARTBEAT_MS < c.HOLDFAST_FENCE_MS, {
    message: 'must let a heartbeat and its retry fail before HOLDFAST_FENCE_MS: 2 × timeout + heartbeat < fence',
    path: ['HOLDFAST_HEARTBEAT_TIMEOUT_MS'],
  })
  .refine((c) => c.HOLDFAST_LEADER_READ_MS <= c.HOLDFAST_HEARTBEAT_MS, {
    message: 'must be at most HOLDFAST_HEARTBEAT_MS',
    path: ['HOLDFAST_LEADER_READ_MS'],
  })
  .refine((c) => c.HOLDFAST_WATCH_MS <= c.HOLDFAST_HEARTBEAT_MS, {
    message: 'must be at most HOLDFAST_HEARTBEAT_MS',
    path: ['HOLDFAST_WATCH_MS'],
  })
  .refine((c) => c.HOLDFAST_GIVE_DEADLINE_MS * 2 <= c.HOLDFAST_DRAIN_TIMEOUT_MS, {
    message: 'must leave a drain time for a second try: 2 × give deadline <= HOLDFAST_DRAIN_TIMEOUT_MS',
    path: ['HOLDFAST_GIVE_DEADLINE_MS'],
  })
  .refine((c) => c.HOLDFAST_OPENS_PER_SECOND <= c.HOLDFAST_FLEET_OPENS_PER_SECOND, {
    message: 'must be at most HOLDFAST_FLEET_OPENS_PER_SECOND',
    path: ['HOLDFAST_OPENS_PER_SECOND'],
  })
  .refine((c) => c.HOLDFAST_PROBE_AFTER_MS + c.HOLDFAST_SUPERVISE_EVERY_MS < c.HOLDFAST_SILENCE_LIMIT_MS, {
    message: 'must leave a server time to answer a probe: probe after + supervise every < silence limit',
    path: ['HOLDFAST_PROBE_AFTER_MS'],
  })
  .refine((c) => c.HOLDFAST_DRAIN_TIMEOUT_MS + 10_000 <= 120_000, {
    message: 'must leave 10 s of the 120 s that Fargate allows for stopping',
    path: ['HOLDFAST_DRAIN_TIMEOUT_MS'],
  })
  .refine((c) => c.HOLDFAST_MEMORY_FULL_PERCENT <= c.HOLDFAST_MEMORY_RECYCLE_PERCENT, {
    message: 'must be at most HOLDFAST_MEMORY_RECYCLE_PERCENT',
    path: ['HOLDFAST_MEMORY_FULL_PERCENT'],
  })
  .refine((c) => c.HOLDFAST_MEMORY_RECYCLE_PERCENT < c.HOLDFAST_MEMORY_DRAIN_PERCENT, {
    message: 'must be below HOLDFAST_MEMORY_DRAIN_PERCENT',
    path: ['HOLDFAST_MEMORY_RECYCLE_PERCENT'],
  })
  .refine((c) => (c.HOLDFAST_KMS_KEY_ARN === undefined) !== (c.HOLDFAST_KEY_FILE === undefined), {
    message: 'give exactly one of HOLDFAST_KMS_KEY_ARN and HOLDFAST_KEY_FILE',
    path: ['HOLDFAST_KMS_KEY_ARN'],
  });

export interface StoreConfig {
  readonly stage: string;
  readonly region: string;
  readonly dynamoDbEndpoint: string | undefined;
  readonly sqsEndpoint: string | undefined;
  readonly queueUrlBase: string;
  readonly shardCount: number;
  readonly shardCap: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly maxConnections: number;
  readonly storeTimeoutMs: number;
  /** Left out on AWS, where the process has a role. The emulators check none, but the SDK calls nobody without. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export type ApiConfig = StoreConfig;
export type IngestConfig = StoreConfig;
export type FleetConfig = StoreConfig;

export interface WatchdogConfig extends StoreConfig {
  readonly rules: WatchdogRules;
  readonly ecsCluster: string;
}

/** Where the operations command line finds a Holdfast. */
export interface OpsConfig {
  readonly apiUrl: string | undefined;
  readonly operatorKeyFile: string | undefined;
  /** Undefined when no stage is named. */
  readonly stores: StoreConfig | undefined;
}

export interface KeyConfig {
  readonly kmsKeyArn: string | undefined;
  readonly keyFile: string | undefined;
}

export interface DeliverConfig extends StoreConfig, KeyConfig {
  readonly webhookTimeoutMs: number;
}

export interface WorkerConfig extends StoreConfig, KeyConfig {
  readonly taskId: string;
  readonly generation: number;
  readonly zone: string | undefined;
  readonly status: { readonly host: string; readonly port: number };
  readonly whatsappUrl: string;
  readonly whatsappRootKey: Uint8Array | undefined;
  /** Undefined: the version that is vetted in the code. */
  readonly whatsappVersion: string | undefined;
  readonly versionReadMs: number;
  readonly ownership: OwnershipConfig;
  readonly liveness: LivenessConfig;
  readonly vitals: VitalsConfig;
  readonly connections: ConnectionConfig;
  readonly digest: DigestConfig;
}

/** Settings of the API functions. Throws an Error that names each wrong variable. */
export function apiConfig(environment: Environment = process.env): ApiConfig {
  return Object.freeze(toStores(parse(apiSchema, environment)));
}

/** Settings of the ingest function. Throws an Error that names each wrong variable. */
export function ingestConfig(environment: Environment = process.env): IngestConfig {
  return Object.freeze(toStores(parse(ingestSchema, environment)));
}

/** Settings of the stopped-task function. Throws an Error that names each wrong variable. */
export function fleetConfig(environment: Environment = process.env): FleetConfig {
  return Object.freeze(toStores(parse(fleetSchema, environment)));
}

/** Settings of the watchdog. Throws an Error that names each wrong variable and each broken rule between two of them. */
export function watchdogConfig(environment: Environment = process.env): WatchdogConfig {
  const value = parse(watchdogSchema, environment);
  return Object.freeze({
    ...toStores(value),
    rules: Object.freeze(toWatchdogRules(value)),
    ecsCluster: value.HOLDFAST_ECS_CLUSTER,
  });
}

/** Settings of the deliver function. Throws an Error that names each wrong variable. */
export function deliverConfig(environment: Environment = process.env): DeliverConfig {
  const value = parse(deliverSchema, environment);
  return Object.freeze({
    ...toStores(value),
    kmsKeyArn: value.HOLDFAST_KMS_KEY_ARN,
    keyFile: value.HOLDFAST_KEY_FILE,
    webhookTimeoutMs: value.HOLDFAST_WEBHOOK_TIMEOUT_MS,
  });
}

/** Settings of the canary function. Throws an Error that names each wrong variable. */
export function canaryConfig(environment: Environment = process.env): CanaryConfig {
  return Object.freeze(toCanary(parse(canarySchema, environment)));
}

/**
 * Settings of the operations command line. Throws an Error that names each wrong variable.
 * @param flags settings by name that come before the environment
 */
export function opsConfig(flags: Environment, environment: Environment = process.env): OpsConfig {
  const value = parse(opsSchema, { ...environment, ...flags });
  const { HOLDFAST_STAGE: stage, HOLDFAST_QUEUE_URL_BASE: base } = value;
  return Object.freeze({
    apiUrl: value.HOLDFAST_API_URL,
    operatorKeyFile: value.HOLDFAST_OPERATOR_KEY_FILE,
    stores:
      stage === undefined || base === undefined
        ? undefined
        : Object.freeze(toStores({ ...value, HOLDFAST_STAGE: stage, HOLDFAST_QUEUE_URL_BASE: base })),
  });
}

/** Where a worker runs: the ECS task (or the local child process), and its availability zone if it has one. */
export interface TaskPlace {
  readonly taskId: string;
  readonly zone: string | undefined;
}

/** Where ECS says which task this is, or undefined when the environment says so itself, or there is no ECS. */
export function metadataUrl(environment: Environment = process.env): string | undefined {
  const base = environment['ECS_CONTAINER_METADATA_URI_V4'] ?? '';
  return environment['HOLDFAST_TASK_ID'] || base === '' ? undefined : `${base}/task`;
}

/**
 * Settings of a worker. Throws an Error that names each wrong variable and each broken rule between two of them.
 * @param place what ECS says, for what the environment does not
 */
export function workerConfig(environment: Environment = process.env, place?: TaskPlace): WorkerConfig {
  const value = parse(workerSchema, {
    ...environment,
    HOLDFAST_TASK_ID: environment['HOLDFAST_TASK_ID'] || place?.taskId,
    HOLDFAST_ZONE: environment['HOLDFAST_ZONE'] || place?.zone,
  });
  return Object.freeze({
    ...toStores(value),
    taskId: value.HOLDFAST_TASK_ID,
    generation: value.HOLDFAST_GENERATION,
    zone: value.HOLDFAST_ZONE,
    status: Object.freeze({ host: value.HOLDFAST_STATUS_HOST, port: value.HOLDFAST_STATUS_PORT }),
    whatsappUrl: value.WHATSAPP_URL,
    whatsappRootKey: value.WHATSAPP_ROOT_KEY === undefined ? undefined : Buffer.from(value.WHATSAPP_ROOT_KEY, 'hex'),
    whatsappVersion: value.WHATSAPP_VERSION,
    versionReadMs: value.WHATSAPP_VERSION_READ_MS,
    kmsKeyArn: value.HOLDFAST_KMS_KEY_ARN,
    keyFile: value.HOLDFAST_KEY_FILE,
    ownership: Object.freeze(toOwnership(value)),
    liveness: Object.freeze(toLiveness(value)),
    digest: Object.freeze(toDigest(value)),
    vitals: Object.freeze(toVitals(value)),
    connections: Object.freeze(toConnections(value)),
  });
}

function toStores(value: z.infer<typeof apiSchema>): StoreConfig {
  return {
    stage: value.HOLDFAST_STAGE,
    region: value.AWS_REGION,
    dynamoDbEndpoint: value.HOLDFAST_DYNAMODB_ENDPOINT,
    sqsEndpoint: value.HOLDFAST_SQS_ENDPOINT,
    queueUrlBase: value.HOLDFAST_QUEUE_URL_BASE,
    shardCount: value.HOLDFAST_SHARD_COUNT,
    shardCap: value.HOLDFAST_SHARD_CAP,
    logLevel: value.HOLDFAST_LOG_LEVEL,
    maxConnections: value.DATABASE_MAX_CONNECTIONS,
    storeTimeoutMs: value.HOLDFAST_STORE_TIMEOUT_MS,
  };
}

const known = new Set(
  [apiSchema, deliverSchema, watchdogSchema, canarySchema, workerSchema, opsSchema].flatMap((schema) =>
    Object.keys(schema.shape as Record<string, unknown>),
  ),
);

function parse<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.infer<Schema> {
  return parseEnvironment(schema, environment, (name) => {
    return OUR_PREFIXES.some((prefix) => name.startsWith(prefix)) && !known.has(name);
  });
}
