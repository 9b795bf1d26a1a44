import { z } from 'zod';
import { canarySchema, toCanary, type CanaryConfig } from './canaryConfig.ts';
import { conversionSettings, toConversions, type ConversionConfig } from './conversionConfig.ts';
import { parseEnvironment, type Environment } from './environment.ts';
import { functionTimes } from './queues.ts';
import { opsSchema, toOps, type OpsConfig } from './opsConfig.ts';
import { ownershipSettings } from './ownershipConfig.ts';
import { objectSettings, toObjects, type ObjectConfig } from './objectConfig.ts';
import { keySettings, type KeyConfig } from './keyConfig.ts';
import { storeSettings, toStores, type StoreConfig } from './storeConfig.ts';
import { toWorker, workerSchema, type WorkerConfig } from './workerConfig.ts';
import { streamSchema, streamUrlSettings, toStream, type StreamConfig } from './streamConfig.ts';
import { whatsAppFileSettings } from './whatsAppConfig.ts';
import {
  digestSettings,
  toWatchdogRules,
  watchdogSettingRules,
  watchdogSettings,
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

const apiSchema = z.object({ ...storeSettings, ...objectSettings, ...streamUrlSettings });
const storeSchema = z.object({ ...storeSettings });
const archiveSchema = z.object({ ...storeSettings, ...objectSettings });
const mediaSchema = z.object({ ...storeSettings, ...objectSettings, ...whatsAppFileSettings, ...conversionSettings });
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

export type { StreamConfig, WorkerConfig };
export interface ApiConfig extends StoreConfig, ObjectConfig {
  /** The URL at which the stage serves streams; nowhere when left out. */
  readonly streamUrl?: string | undefined;
  /** The URL at which people find the pairing page; the address at which a link is asked for when left out. */
  readonly pageOrigin?: string | undefined;
}
export type AdminConfig = StoreConfig;

export interface MediaConfig extends StoreConfig, ObjectConfig, ConversionConfig {
  /** The URL of the host at which WhatsApp's files lie. */
  readonly filesUrl: string;
}

export interface ArchiveConfig extends StoreConfig, ObjectConfig {}
export type IngestConfig = StoreConfig;
export type FleetConfig = StoreConfig;

export interface WatchdogConfig extends StoreConfig {
  readonly rules: WatchdogRules;
  readonly ecsCluster: string;
}

export interface DeliverConfig extends StoreConfig, KeyConfig {
  readonly webhookTimeoutMs: number;
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
  return Object.freeze({
    ...toStores(value),
    ...toObjects(value),
    streamUrl: value.HOLDFAST_STREAM_URL,
    pageOrigin: value.HOLDFAST_PAGE_ORIGIN,
  });
}

/** The settings of the function that serves operators. Throws an Error that names each wrong variable. */
export function adminConfig(environment: Environment = process.env): AdminConfig {
  return Object.freeze(toStores(parse(storeSchema, environment)));
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

/** The settings of the archive function. Throws an Error that names each wrong variable. */
export function archiveConfig(environment: Environment = process.env): ArchiveConfig {
  const value = parse(archiveSchema, environment);
  return Object.freeze({ ...toStores(value), ...toObjects(value) });
}

/** The settings of the ingest function. Throws an Error that names each wrong variable. */
export function ingestConfig(environment: Environment = process.env): IngestConfig {
  return Object.freeze(toStores(parse(storeSchema, environment)));
}

/** The settings of the stopped-task function. Throws an Error that names each wrong variable. */
export function fleetConfig(environment: Environment = process.env): FleetConfig {
  return Object.freeze(toStores(parse(storeSchema, environment)));
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

/** The settings of the stream service. Throws an Error that names each wrong variable. */
export function streamConfig(environment: Environment = process.env): StreamConfig {
  return Object.freeze(toStream(parse(streamSchema, environment)));
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
  return Object.freeze(toWorker(value));
}

const known = new Set(
  [apiSchema, mediaSchema, deliverSchema, streamSchema, watchdogSchema, canarySchema, workerSchema, opsSchema].flatMap(
    (schema) => Object.keys(schema.shape as Record<string, unknown>),
  ),
);

function parse<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.infer<Schema> {
  return parseEnvironment(schema, environment, (name) => {
    return OUR_PREFIXES.some((prefix) => name.startsWith(prefix)) && !known.has(name);
  });
}
