import { z } from 'zod';
import { shapeNames, shapes, type ShapeName } from './shapes.ts';

/**
 * What can be set for a stage: on the command line (`cdk … -c stage=prod -c shape=10k`), or for good under
 * `"stages": { "prod": { "shape": "10k" } }` in the context of cdk.json. The first wins; the shape gives the rest.
 */
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const settingsSchema = z
  .strictObject({
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,15}$/, 'must be 1 to 16 lower-case letters, digits and dashes, beginning with a letter')
      .default('dev'),
    shape: z.enum(shapeNames).default('small'),
    /** Shards are only ever added: connections never move between them. */
    shardCount: whole(1, 5_000),
    /** Most connections on a shard. */
    shardCap: whole(1, 100),
    workers: whole(1, 5_000),
    /** The service grows up to here when its workers fill, and back to `workers` when they empty. */
    workersMost: whole(1, 5_000),
    /** So many connections count as a full worker. */
    workerConnections: whole(1, 10_000),
    /** CPU units of a worker: 1,024 are one core. */
    workerCpu: whole(256, 16_384),
    workerMemoryMib: whole(512, 122_880),
    /** Availability zones that the workers are spread over. */
    zones: whole(2, 3),
    /** Whether workers have public addresses of their own, or go out through NAT gateways. */
    network: z.enum(['public', 'private']).default('public'),
    /** Share of the workers that runs on Spot capacity, in percent. Each reclaim is a drain, so not all of them. */
    spotPercent: whole(0, 70).default(0),
    /** Grows with each deploy, for example the number of the build: newer workers take over from older ones. */
    generation: whole(0, 2_000_000_000).default(0),
    logRetentionDays: whole(1, 3_653)
      .refine((days) => logRetentions.has(days), 'must be a number of days that CloudWatch Logs knows')
      .default(30),
    /** `ops` is the one that is read first; `all` adds one for each concern. Each is billed by the month. */
    dashboards: z.enum(['ops', 'all']),
    /** `fast` tells when an objective is missed so fast that a month's share is gone in two days; `all` also of slower ones. */
    burnAlarms: z.enum(['fast', 'all']),
    /** Who is told of alarms. Left out, the topics are there and nobody listens. */
    alarmEmail: z.email().optional(),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    /** Reserved for the function: it can never take more, and others cannot take it away. */
    apiConcurrency: whole(1, 10_000),
    ingestConcurrency: whole(2, 1_000),
    deliverConcurrency: whole(2, 1_000),
    /** The quota "Concurrent executions" of the AWS account; new accounts may have as little as 10. */
    accountConcurrency: whole(1, 100_000).default(1_000),
    apiRequestsPerSecond: whole(1, 10_000),
    /** The API's own name, for example `api.example.com`; needs certificateArn, and a record that leads to the output. */
    domainName: z
      .string()
      .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be the name of a host')
      .optional(),
    /** Of a certificate for domainName, in the region of the stage. */
    certificateArn: z
      .string()
      .regex(/^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/, 'must be the ARN of a certificate')
      .optional(),
    /**
     * A web ACL of AWS WAF with the scope CLOUDFRONT, put in front of the API by a distribution: WAF cannot stand before an
     * HTTP API itself. Whoever knows the API's own address can still go around it.
     */
    webAclArn: z
      .string()
      .regex(/^arn:[\w-]+:wafv2:us-east-1:\d{12}:global\/webacl\/.+$/, 'must be the ARN of a web ACL for CloudFront')
      .optional(),
    /** Days for which daily backups of the tables core and sessions are kept, beside point-in-time recovery. */
    backupDays: whole(1, 35),
    /** A vault in another region or account, which gets a copy of each backup. */
    backupCopyVaultArn: z
      .string()
      .regex(/^arn:[\w-]+:backup:[\w-]+:\d{12}:backup-vault:[\w-]+$/, 'must be the ARN of a backup vault')
      .optional(),
    /**
     * Name of the parameter (a SecureString of Systems Manager) with the key of the canary's tenant. Left out, there is no
     * canary. Never the key itself.
     */
    canaryKeyParameter: z
      .string()
      .regex(/^\/[\w./-]+$/, 'must be the name of a parameter, beginning with a slash')
      .optional(),
    /** The connection through which the canary writes to itself. */
    canaryConnectionId: z
      .string()
      .regex(/^con_\w+$/, 'must be the id of a connection')
      .optional(),
  })
  .refine((s) => s.workersMost >= s.workers, { message: 'must be at least workers', path: ['workersMost'] })
  .refine((s) => (s.domainName === undefined) === (s.certificateArn === undefined), {
    message: 'must be given together with domainName',
    path: ['certificateArn'],
  })
  .refine((s) => (s.canaryKeyParameter === undefined) === (s.canaryConnectionId === undefined), {
    message: 'must be given together with canaryKeyParameter',
    path: ['canaryConnectionId'],
  })
  .refine((s) => reservedConcurrencyOf(s) <= s.accountConcurrency - UNRESERVED, {
    message:
      'must hold what apiConcurrency, ingestConcurrency, deliverConcurrency and the small functions reserve, and 100 more, ' +
      'which AWS keeps unreserved',
    path: ['accountConcurrency'],
  })
  .refine((s) => isFargateSize(s.workerCpu, s.workerMemoryMib), {
    message: 'must go with workerCpu as Fargate sells them, for example 4096 with 1024',
    path: ['workerMemoryMib'],
  });

export type Settings = z.infer<typeof settingsSchema>;
type Values = Readonly<Record<string, unknown>>;

/** AWS refuses reservations that leave less than this to the functions without one. */
const UNRESERVED = 100;
/** Reserved concurrency of the functions whose load does not grow with the number of connections. */
export const smallConcurrency = {
  admin: 5,
  reconcile: 1,
  taskStopped: 5,
  watchdog: 1,
  shardCount: 1,
  canary: 1,
} as const;

/** Source: CloudWatch Logs API, PutRetentionPolicy. */
const logRetentions: ReadonlySet<number> = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653,
]);

function reservedConcurrencyOf(settings: {
  readonly apiConcurrency: number;
  readonly ingestConcurrency: number;
  readonly deliverConcurrency: number;
}): number {
  const small = Object.values(smallConcurrency).reduce((sum, one) => sum + one, 0);
  return settings.apiConcurrency + settings.ingestConcurrency + settings.deliverConcurrency + small;
}

/** Sizes of Fargate tasks in MiB: CPU units, least memory, most memory, step. Source: ECS, "Task CPU and memory". */
const fargateSizes = [
  [256, 512, 2_048, 512],
  [512, 1_024, 4_096, 1_024],
  [1_024, 2_048, 8_192, 1_024],
  [2_048, 4_096, 16_384, 1_024],
  [4_096, 8_192, 30_720, 1_024],
  [8_192, 16_384, 61_440, 4_096],
  [16_384, 32_768, 122_880, 8_192],
] as const;

function isFargateSize(cpu: number, memoryMib: number): boolean {
  return fargateSizes.some(
    ([units, least, most, step]) =>
      cpu === units && memoryMib >= least && memoryMib <= most && (memoryMib - least) % step === 0,
  );
}

/**
 * Reads and checks the settings of a stage.
 * @param given what stands on the command line
 * @param committed settings kept for good, by stage
 * Throws an Error that names each wrong setting, the rule and the value received; also when there would be fewer shards than
 * are kept for the stage.
 */
export function parseSettings(given: Values, committed: Readonly<Record<string, Values>> = {}): Settings {
  const stage = typeof given['stage'] === 'string' ? given['stage'] : 'dev';
  const kept = committed[stage] ?? {};
  const named = { ...kept, ...given };
  const shape = named['shape'] ?? 'small';
  const defaults = isShapeName(shape) ? shapes[shape] : shapes.small;
  const values: Values = { ...defaults, ...named };
  const result = settingsSchema.safeParse(values);
  if (!result.success) throw new Error(describe(result.error.issues.map((issue) => toLine(issue, values))));
  const keptShards = Number(kept['shardCount'] ?? 0);
  const { shardCount } = result.data;
  if (shardCount < keptShards) {
    throw new Error(
      describe([
        `shardCount: stage ${stage} has ${keptShards} shards, and shards are only ever added (received ${shardCount})`,
      ]),
    );
  }
  return result.data;
}

function isShapeName(value: unknown): value is ShapeName {
  return shapeNames.some((name) => name === value);
}

function describe(lines: readonly string[]): string {
  return `The settings are not valid:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

function toLine(issue: z.core.$ZodIssue, values: Values): string {
  if (issue.code === 'unrecognized_keys') return `${issue.keys.join(', ')}: there is no such setting`;
  const name = issue.path.join('.') || '(all)';
  const received = values[name] === undefined ? 'its default' : JSON.stringify(values[name]);
  return `${name}: ${issue.message} (received ${received})`;
}

/** The settings among all context values: CDK's own names have a colon, a slash or a dash in them. */
export function settingsOf(context: Values): Settings {
  const { stages, ...rest } = Object.fromEntries(Object.entries(context).filter(([name]) => /^\w+$/.test(name)));
  const committed = z.record(z.string(), z.record(z.string(), z.unknown())).safeParse(stages ?? {});
  if (!committed.success) throw new Error(describe(['stages: must give settings by the name of a stage']));
  return parseSettings(rest, committed.data);
}
