import { z } from 'zod';
import { canarySchema, toCanary, type CanaryConfig } from './canaryConfig.ts';
import { conversionSettings, toConversions, type ConversionConfig } from './conversionConfig.ts';
import { connectionSettings, toConnections, type ConnectionConfig } from './connectionConfig.ts';
import { parseEnvironment, type Environment } from './environment.ts';
import { livenessSettings, toLiveness, type LivenessConfig } from './livenessConfig.ts';
import { functionTimes } from './queues.ts';
import { opsSchema, toOps, type OpsConfig } from './opsConfig.ts';
import { ownershipSettings, toOwnership, type OwnershipConfig } from './ownershipConfig.ts';
import { objectSettings, toObjects, type ObjectConfig } from './objectConfig.ts';
import { toVitals, vitalsSettings, type VitalsConfig } from './vitalsConfig.ts';
import { keySettings, type KeyConfig } from './keyConfig.ts';
import { storeSettings, toStores, type StoreConfig } from './storeConfig.ts';
import { whatsAppFileSettings, whatsAppSettings } from './whatsAppConfig.ts';
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
 * The only reader of the environment. Each kind of process has one schema, which is parsed once at start; the result is
 * frozen. The message of an error names the variable, the rule and the value received; no setting is a secret: keys are
 * named, never given. An unknown name that begins with one of our prefixes is an error, so that a mistyped name does
 * not silently leave a default.
 */
const OUR_PREFIXES = ['HOLDFAST_', 'WHATSAPP_', 'BAILEYS_', 'DATABASE_'] as const;

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const apiSchema = z.object({ ...storeSettings, ...objectSettings });
const adminSchema = z.object({ ...storeSettings });
const mediaSchema = z.object({ ...storeSettings, ...objectSettings, ...whatsAppFileSettings, ...conversionSettings });
const ingestSchema = z.object({ ...storeSettings });
const deliverSchema = z.object({
  ...storeSettings,
  ...keySettings,
  /**
   * How long an attempt of a webhook may take until the answer's headers, in milliseconds; 10 s when left out. 10 s of the
   * function's time must be left for what is read before it and noted after it.
   */
  HOLDFAST_WEBHOOK_TIMEOUT_MS: milliseconds(10_000).refine(
    (ms) => ms + 10_000 <= functionTimes.timeoutSeconds * 1_000,
    `must leave 10 s of the ${functionTimes.timeoutSeconds} s that the function has`,
  ),
});
const fleetSchema = z.object({ ...storeSettings });
const watchdogSchema = z
  .object({
    ...storeSettings,
    ...digestSettings,
    ...watchdogSettings,
    HOLDFAST_HEARTBEAT_MS: ownershipSettings.HOLDFAST_HEARTBEAT_MS,
    HOLDFAST_FENCE_MS: ownershipSettings.HOLDFAST_FENCE_MS,
    /** ARN of the ECS cluster whose tasks the workers are; any name where there is no ECS. Required. */
    HOLDFAST_ECS_CLUSTER: z.string().min(1),
  })
  .superRefine((value, context) => {
    for (const [name, message, holds] of watchdogSettingRules) {
      if (!holds(value)) context.addIssue({ code: 'custom', message, path: [name] });
    }
  });

const workerSchema = z
  .object({
    ...storeSettings,
    ...whatsAppSettings,
    ...keySettings,
    ...ownershipSettings,
    ...livenessSettings,
    ...vitalsSettings,
    ...connectionSettings,
    ...digestSettings,
    /**
     * Id of the ECS task (or of the local child process) in which this worker runs. Required, except on ECS, which
     * tells it.
     */
    HOLDFAST_TASK_ID: z.string({ error: 'must name the task: only ECS says so by itself' }).min(1),
    /**
     * The deploy generation, a number that grows with each deploy: workers of a newer one take over from workers of
     * older ones. On ECS the revision of the task definition when left out, which grows with each deploy that changes
     * workers; elsewhere 0.
     */
    HOLDFAST_GENERATION: z.coerce.number().int().min(0).default(0),
    /** Availability zone of this worker, for people; ECS's own when left out. */
    HOLDFAST_ZONE: z.string().min(1).optional(),
    /** Address on which `/health`, `/health/ready` and `/metrics` answer; 127.0.0.1 when left out. */
    HOLDFAST_STATUS_HOST: z.string().min(1).default('127.0.0.1'),
    /** Port on which they answer; 0, the default, takes any free one. */
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

export type ApiConfig = StoreConfig & ObjectConfig;
export type AdminConfig = StoreConfig;

export interface MediaConfig extends StoreConfig, ObjectConfig, ConversionConfig {
  /** The URL of the host at which WhatsApp's files lie. */
  readonly filesUrl: string;
}

export type IngestConfig = StoreConfig;
export type FleetConfig = StoreConfig;

export interface WatchdogConfig extends StoreConfig {
  readonly rules: WatchdogRules;
  readonly ecsCluster: string;
}

export interface DeliverConfig extends StoreConfig, KeyConfig {
  readonly webhookTimeoutMs: number;
}

export interface WorkerConfig extends StoreConfig, KeyConfig {
  readonly taskId: string;
  readonly deployGeneration: number;
  readonly zone: string | undefined;
  readonly status: { readonly host: string; readonly port: number };
  readonly whatsappUrl: string;
  readonly whatsappRootKey: Uint8Array | undefined;
  /** The version until an operator names one; undefined means the version that is vetted in the code. */
  readonly whatsappVersion: string | undefined;
  readonly versionReadMs: number;
  readonly ownership: OwnershipConfig;
  readonly liveness: LivenessConfig;
  readonly vitals: VitalsConfig;
  readonly connections: ConnectionConfig;
  readonly digest: DigestConfig;
}

/**
 * The trace of the request that a function works on, which the runtime of Lambda keeps in the environment, anew for each
 * invocation. Undefined elsewhere.
 */
export function currentTrace(environment: Environment = process.env): string | undefined {
  return freezesBetweenCalls(environment) ? environment['_X_AMZN_TRACE_ID'] : undefined;
}

/** Notes the trace of a request, as the runtime of Lambda does where there is one. */
export function noteTrace(trace: string | undefined): void {
  if (trace === undefined) delete process.env['_X_AMZN_TRACE_ID'];
  else process.env['_X_AMZN_TRACE_ID'] = trace;
}

/** Host and port at which Lambda gives calls to a process. Throws an Error outside of Lambda. */
export function lambdaRuntimeApi(environment: Environment = process.env): string {
  const api = environment['AWS_LAMBDA_RUNTIME_API'];
  if (api === undefined) throw new Error('AWS_LAMBDA_RUNTIME_API is not set: this program runs in Lambda alone');
  return api;
}

/** Whether this process is frozen between two calls, so that nothing in it may wait for a timer: a function of Lambda. */
export function freezesBetweenCalls(environment: Environment = process.env): boolean {
  return environment['AWS_LAMBDA_FUNCTION_NAME'] !== undefined;
}

/** The settings of the API functions. Throws an Error that names each wrong variable. */
export function apiConfig(environment: Environment = process.env): ApiConfig {
  const value = parse(apiSchema, environment);
  return Object.freeze({ ...toStores(value), ...toObjects(value) });
}

/** The settings of the function that serves operators. Throws an Error that names each wrong variable. */
export function adminConfig(environment: Environment = process.env): AdminConfig {
  return Object.freeze(toStores(parse(adminSchema, environment)));
}

/** The settings of the media function. Throws an Error that names each wrong variable. */
export function mediaConfig(environment: Environment = process.env): MediaConfig {
  const value = parse(mediaSchema, environment);
  return Object.freeze({
    ...toStores(value),
    ...toObjects(value),
    ...toConversions(value),
    filesUrl: value.WHATSAPP_FILES_URL,
  });
}

/** The settings of the ingest function. Throws an Error that names each wrong variable. */
export function ingestConfig(environment: Environment = process.env): IngestConfig {
  return Object.freeze(toStores(parse(ingestSchema, environment)));
}

/** The settings of the stopped-task function. Throws an Error that names each wrong variable. */
export function fleetConfig(environment: Environment = process.env): FleetConfig {
  return Object.freeze(toStores(parse(fleetSchema, environment)));
}

/**
 * The settings of the watchdog. Throws an Error that names each wrong variable and each broken rule between two of
 * them.
 */
export function watchdogConfig(environment: Environment = process.env): WatchdogConfig {
  const value = parse(watchdogSchema, environment);
  return Object.freeze({
    ...toStores(value),
    rules: Object.freeze(toWatchdogRules(value)),
    ecsCluster: value.HOLDFAST_ECS_CLUSTER,
  });
}

/** The settings of the deliver function. Throws an Error that names each wrong variable. */
export function deliverConfig(environment: Environment = process.env): DeliverConfig {
  const value = parse(deliverSchema, environment);
  return Object.freeze({
    ...toStores(value),
    kmsKeyArn: value.HOLDFAST_KMS_KEY_ARN,
    keyFile: value.HOLDFAST_KEY_FILE,
    webhookTimeoutMs: value.HOLDFAST_WEBHOOK_TIMEOUT_MS,
  });
}

/** The settings of the canary function. Throws an Error that names each wrong variable. */
export function canaryConfig(environment: Environment = process.env): CanaryConfig {
  return Object.freeze(toCanary(parse(canarySchema, environment)));
}

/**
 * The settings of the operations command line. Throws an Error that names each wrong variable.
 * @param flags settings by name that come before the environment
 */
export function opsConfig(flags: Environment, environment: Environment = process.env): OpsConfig {
  return Object.freeze(toOps(parse(opsSchema, { ...environment, ...flags })));
}

/** The environment of this process, over settings that were found elsewhere. */
export function environmentOver(settings: Environment): Environment {
  return { ...settings, ...process.env };
}

/** The place of a worker: the ECS task (or the local child process), and its availability zone and deploy generation if ECS tells them. */
export interface TaskPlace {
  readonly taskId: string;
  readonly zone: string | undefined;
  readonly generation: number | undefined;
}

/**
 * The URL under which ECS tells which task this is; undefined when the environment names the task, or when there is no
 * ECS.
 */
export function metadataUrl(environment: Environment = process.env): string | undefined {
  const base = environment['ECS_CONTAINER_METADATA_URI_V4'] ?? '';
  return environment['HOLDFAST_TASK_ID'] || base === '' ? undefined : `${base}/task`;
}

/** The URL at which ECS's agent protects this task from being stopped; undefined where there is no ECS. */
export function taskProtectionUrl(environment: Environment = process.env): string | undefined {
  const base = environment['ECS_AGENT_URI'] ?? '';
  return base === '' ? undefined : `${base}/task-protection/v1/state`;
}

/**
 * The settings of a worker. Throws an Error that names each wrong variable and each broken rule between two of them.
 * @param place the place as ECS tells it, for variables that the environment lacks
 */
export function workerConfig(environment: Environment = process.env, place?: TaskPlace): WorkerConfig {
  const value = parse(workerSchema, {
    ...environment,
    HOLDFAST_TASK_ID: environment['HOLDFAST_TASK_ID'] || place?.taskId,
    HOLDFAST_ZONE: environment['HOLDFAST_ZONE'] || place?.zone,
    HOLDFAST_GENERATION: environment['HOLDFAST_GENERATION'] || place?.generation?.toString(),
  });
  return Object.freeze({
    ...toStores(value),
    taskId: value.HOLDFAST_TASK_ID,
    deployGeneration: value.HOLDFAST_GENERATION,
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

const known = new Set(
  [apiSchema, mediaSchema, deliverSchema, watchdogSchema, canarySchema, workerSchema, opsSchema].flatMap((schema) =>
    Object.keys(schema.shape as Record<string, unknown>),
  ),
);

function parse<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.infer<Schema> {
  return parseEnvironment(schema, environment, (name) => {
    return OUR_PREFIXES.some((prefix) => name.startsWith(prefix)) && !known.has(name);
  });
}
