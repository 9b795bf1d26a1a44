import { z } from 'zod';
import { connectionSettings, toConnections, type ConnectionConfig } from './connectionConfig.ts';
import { keySettings, type KeyConfig } from './keyConfig.ts';
import { livenessSettings, toLiveness, type LivenessConfig } from './livenessConfig.ts';
import { ownershipSettings, toOwnership, type OwnershipConfig } from './ownershipConfig.ts';
import { storeSettings, toStores, type StoreConfig } from './storeConfig.ts';
import { toVitals, vitalsSettings, type VitalsConfig } from './vitalsConfig.ts';
import { digestSettings, toDigest, type DigestConfig } from './watchdogConfig.ts';
import { whatsAppSettings } from './whatsAppConfig.ts';

/** The settings of a worker, and the rules between two of them. */
export const workerSchema = z
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

/** The configuration from the settings. */
export function toWorker(value: z.infer<typeof workerSchema>): WorkerConfig {
  return {
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
  };
}
