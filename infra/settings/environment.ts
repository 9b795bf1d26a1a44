import type { IConstruct } from 'constructs';
import { HEALTH_PORT } from '../../shared/platform/healthCheck.ts';
import { mediaBucketName, queueUrlBase } from './resources.ts';
import { STREAM_PORT } from './streams.ts';
import type { Settings } from './settings.ts';

/**
 * The settings that every process with a store reads from its environment (shared/platform/config.ts). All other
 * settings keep the defaults of production.
 */
export function storeEnvironment(scope: IConstruct, settings: Settings) {
  return {
    HOLDFAST_STAGE: settings.stage,
    HOLDFAST_SHARD_COUNT: String(settings.shardCount),
    HOLDFAST_SHARD_CAP: String(settings.shardCap),
    HOLDFAST_EVENT_QUEUES: String(settings.eventQueues),
    HOLDFAST_QUEUE_URL_BASE: queueUrlBase(scope),
    HOLDFAST_LOG_LEVEL: settings.logLevel,
    ...(Object.keys(settings.plans).length === 0 ? {} : { HOLDFAST_PLANS: JSON.stringify(settings.plans) }),
  } as const;
}

/** The settings that a process reads which gives out or stores files of messages. */
export function objectEnvironment(scope: IConstruct, { stage }: Pick<Settings, 'stage'>) {
  return { HOLDFAST_MEDIA_BUCKET: mediaBucketName(scope, stage) } as const;
}

/** The settings that the function of the API reads beside its stores. */
export function apiEnvironment(scope: IConstruct, settings: Settings) {
  const { domainName, streamDomainName } = settings;
  return {
    ...storeEnvironment(scope, settings),
    ...objectEnvironment(scope, settings),
    ...(domainName === undefined ? {} : { HOLDFAST_PAGE_ORIGIN: `https://${domainName}` }),
    ...(streamDomainName === undefined ? {} : { HOLDFAST_STREAM_URL: `https://${streamDomainName}` }),
  } as const;
}

/** The settings that the stream service reads. */
export function streamEnvironment(scope: IConstruct, settings: Settings, region: string) {
  return {
    ...storeEnvironment(scope, settings),
    AWS_REGION: region,
    HOLDFAST_STREAM_PORT: String(STREAM_PORT),
  } as const;
}

/** Where the image of the media function has the program that converts files. */
export const CONVERTER_FILE = '/var/task/functions/media/prepare/converter/main.mjs';

/** The settings that a process reads which converts files. */
export const conversionEnvironment = { HOLDFAST_CONVERTER_FILE: CONVERTER_FILE } as const;

/** Share of a worker's memory for JavaScript objects; the rest is for buffers, code and the system. */
const HEAP_SHARE = 0.75;

/** The settings that a worker reads. It asks ECS at its start which task it is and in which zone. */
export function workerEnvironment(scope: IConstruct, settings: Settings, region: string, keyArn: string) {
  return {
    ...storeEnvironment(scope, settings),
    AWS_REGION: region,
    HOLDFAST_KMS_KEY_ARN: keyArn,
    HOLDFAST_STATUS_PORT: String(HEALTH_PORT),
    HOLDFAST_WORKER_CONNECTIONS: String(settings.workerConnections),
    ...(settings.generation === undefined ? {} : { HOLDFAST_GENERATION: String(settings.generation) }),
    NODE_OPTIONS: `--max-old-space-size=${Math.floor(settings.workerMemoryMib * HEAP_SHARE)}`,
  } as const;
}

/** The settings that the watchdog reads. */
export function watchdogEnvironment(scope: IConstruct, settings: Settings, clusterArn: string) {
  return { ...storeEnvironment(scope, settings), HOLDFAST_ECS_CLUSTER: clusterArn } as const;
}
