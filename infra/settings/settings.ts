import { z } from 'zod';
import { plansSchema } from '../../shared/platform/planConfig.ts';
import { existing, names } from './existing.ts';
import { LEAST_SOURCE_CONCURRENCY } from './concurrency.ts';
import { isFargateSize } from './fargateSizes.ts';
import { shapeNames, shapes, type ShapeName } from './shapes.ts';

/**
 * The settings of a stage. They are given on the command line (`cdk … -c stage=prod -c shape=10k`), or for good under
 * `"stages": { "prod": { "shape": "10k" } }` in the context of cdk.json. The command line wins. A setting without a
 * default of its own takes the one of the shape (infra/settings/shapes.ts); without such a default either it may be
 * left out. A wrong or unknown setting ends the synthesis.
 */
/** Lambda takes 4 KB of settings in all. Source: AWS Lambda quotas, "Environment variables". */
const PLAN_CHARACTERS = 2_000;
/** What stands in a text, or what is no text. */
const fromJson = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const settingsSchema = z
  .strictObject({
    ...existing,
    /** The name of the stage, with which the names of its resources begin; `dev` when left out. */
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,15}$/, 'must be 1 to 16 lower-case letters, digits and dashes, beginning with a letter')
      .default('dev'),
    /** The size of the stage, from which settings without a default of their own take theirs; `small` when left out. */
    shape: z.enum(shapeNames).default('small'),
    /**
     * The number of shards, each with a command queue of its own; the shape's when left out. Shards are only ever
     * added: connections never move between them.
     */
    shardCount: whole(1, 5_000),
    /**
     * The greatest number of connections on a shard; the shape's when left out. Further connections are placed on other
     * shards.
     */
    shardCap: whole(1, 100),
    /**
     * The plans of tenants: by name, the quotas that differ from the usual ones (docs/limits.md), as JSON on the command line. Tenants
     * without a plan have the one called `standard`. None when left out.
     */
    plans: z
      .preprocess(fromJson, plansSchema)
      .refine(
        (plans) => JSON.stringify(plans).length <= PLAN_CHARACTERS,
        `must be ${PLAN_CHARACTERS} characters at most`,
      )
      .default({}),
    /**
     * The number of queues for facts, by which the shards are spread; 1 when left out. One takes what some ten thousand
     * connections bring. Queues are only ever added: docs/operating.md, "More queues for events".
     */
    eventQueues: whole(1, 64).default(1),
    /** The least number of workers that run; the shape's when left out. */
    workers: whole(1, 5_000),
    /**
     * The number of workers up to which the service grows when its workers fill; the shape's when left out. It shrinks
     * back to `workers` when they empty.
     */
    workersMost: whole(1, 5_000),
    /** The number of connections that count as a full worker; the shape's when left out. */
    workerConnections: whole(1, 10_000),
    /** CPU units of a worker, 1,024 of which are one core; the shape's when left out. */
    workerCpu: whole(256, 16_384),
    /** Memory of a worker in MiB; the shape's when left out. Which sizes Fargate sells depends on `workerCpu`. */
    workerMemoryMib: whole(512, 122_880),
    /** The number of availability zones that the workers are spread over; the shape's when left out. */
    zones: whole(2, 3),
    /**
     * The names of these zones, with commas between them, for example `us-east-1a,us-east-1c`: some zones have no
     * Fargate. The region's first ones when left out.
     */
    zoneNames: names(/^[a-z]{2}(-[a-z0-9]+)+-\d+[a-z]$/, 'must be names of availability zones').optional(),
    /**
     * Whether workers have public addresses of their own (`public`, the default) or go out through NAT gateways
     * (`private`).
     */
    network: z.enum(['public', 'private']).default('public'),
    /**
     * The share of the workers that runs on Spot capacity, in percent; 0 when left out. Each reclaim is a drain, so it
     * cannot be all of them.
     */
    spotPercent: whole(0, 70).default(0),
    /**
     * A number that grows with each deploy: workers of a higher deploy generation take over from older ones. When left
     * out, a worker takes the revision of its task definition, which ECS counts up with each deploy that changes workers.
     */
    generation: whole(1, 2_000_000_000).optional(),
    /** The number of days after which log lines expire; 30 when left out. */
    logRetentionDays: whole(1, 3_653)
      .refine((days) => logRetentions.has(days), 'must be a number of days that CloudWatch Logs knows')
      .default(30),
    /**
     * `ops` adds the dashboard that a person on call reads first; `all` adds one for each concern. The shape's when
     * left out. Each dashboard is billed by the month.
     */
    dashboards: z.enum(['ops', 'all']),
    /**
     * `fast` notifies when an objective is missed so fast that a month's share is gone in two days; `all` also when it
     * is missed more slowly. The shape's when left out.
     */
    burnAlarms: z.enum(['fast', 'all']),
    /**
     * Whether alarms that serve another alarm alone tell nobody (`silent`, the default) or the topic for the next working
     * day (`ticket`), for accounts that want an action of every alarm.
     */
    alarmParts: z.enum(['silent', 'ticket']).default('silent'),
    /**
     * Whether ECS writes metrics of each task beside those of the service, which are billed by their number; `off` when
     * left out, because workers say the same themselves.
     */
    containerInsights: z.enum(['off', 'on']).default('off'),
    /** The address to which alarms are mailed. When left out, the topics exist and nobody is subscribed. */
    alarmEmail: z.email().optional(),
    /** The least severe level of log lines that processes write; `info` when left out. */
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    /**
     * The number of concurrent runs reserved for the API's function; the shape's when left out. The function never runs
     * more often at once, and others cannot take that share away.
     */
    apiConcurrency: whole(1, 10_000),
    /** The same for ingest: batches of events under way at once. */
    ingestConcurrency: whole(2, 1_000),
    /** The same for deliver: batches of deliveries under way at once. */
    deliverConcurrency: whole(4, 1_000),
    /** The same for media: batches of files under way at once. */
    mediaConcurrency: whole(2, 1_000),
    /**
     * The quota "Concurrent executions" of the AWS account; 1,000 when left out. New accounts may have as little as 10:
     * functions then reserve nothing (infra/settings/concurrency.ts). `npm run ops -- preflight` reads it.
     */
    accountConcurrency: whole(10, 100_000).default(1_000),
    /**
     * Whether a new version of the functions that carry messages takes a tenth of the calls for five minutes first, and
     * is taken back when it fails (`gradual`, the default), or all of them at once (`at-once`).
     */
    functionDeploys: z.enum(['gradual', 'at-once']).default('gradual'),
    /** The share of calls that X-Ray traces, in percent; 1 when left out. With 0 nothing is traced. */
    tracePercent: whole(0, 100).default(1),
    /** The least number of tasks that serve streams, where streamDomainName is given; the shape's when left out. */
    streamTasks: whole(1, 1_000),
    /** The number of tasks up to which the service of streams grows; the shape's when left out. */
    streamTasksMost: whole(1, 1_000),
    /** The limit of requests per second, above which the API answers 429; the shape's when left out. Bursts: twice that. */
    apiRequestsPerSecond: whole(1, 10_000),
    /**
     * The number of days for which daily backups of the tables core and sessions are kept, beside point-in-time
     * recovery; the shape's when left out.
     */
    backupDays: whole(1, 35),
  })
  .refine((s) => s.workersMost >= s.workers, { message: 'must be at least workers', path: ['workersMost'] })
  .refine((s) => s.streamTasksMost >= s.streamTasks, {
    message: 'must be at least streamTasks',
    path: ['streamTasksMost'],
  })
  .refine((s) => (s.streamDomainName === undefined) === (s.streamCertificateArn === undefined), {
    message: 'must be given together with streamDomainName',
    path: ['streamCertificateArn'],
  })
  .refine((s) => s.streamDomainName === undefined || s.vpcId === undefined || s.network === 'public', {
    message: 'must not be given with vpcId and network=private: the load balancer of streams needs public subnets',
    path: ['streamDomainName'],
  })
  .refine((s) => s.ingestConcurrency >= LEAST_SOURCE_CONCURRENCY * s.eventQueues, {
    message: 'must be at least 2 for each of eventQueues: AWS lets no queue have less',
    path: ['ingestConcurrency'],
  })
  .refine((s) => s.zoneNames === undefined || s.zoneNames.length === s.zones, {
    message: 'must name as many zones as the setting zones says',
    path: ['zoneNames'],
  })
  .refine((s) => (s.vpcId === undefined) === (s.subnetIds === undefined), {
    message: 'must be given together with vpcId',
    path: ['subnetIds'],
  })
  .refine((s) => s.vpcId === undefined || s.zoneNames?.length === s.subnetIds?.length, {
    message: 'must name the zone of each of subnetIds, in their order',
    path: ['zoneNames'],
  })
  .refine((s) => (s.pageTopicArn === undefined) === (s.ticketTopicArn === undefined), {
    message: 'must be given together with pageTopicArn',
    path: ['ticketTopicArn'],
  })
  .refine((s) => (s.domainName === undefined) === (s.certificateArn === undefined), {
    message: 'must be given together with domainName',
    path: ['certificateArn'],
  })
  .refine((s) => s.webAclArn === undefined || /:acm:us-east-1:/.test(s.certificateArn ?? ':acm:us-east-1:'), {
    message: 'must be of us-east-1 with webAclArn: CloudFront takes certificates from there alone',
    path: ['certificateArn'],
  })
  .refine((s) => (s.canaryKeyParameter === undefined) === (s.canaryConnectionId === undefined), {
    message: 'must be given together with canaryKeyParameter',
    path: ['canaryConnectionId'],
  })
  .refine((s) => isFargateSize(s.workerCpu, s.workerMemoryMib), {
    message: 'must go with workerCpu as Fargate sells them, for example 4096 with 1024',
    path: ['workerMemoryMib'],
  });

export type Settings = z.infer<typeof settingsSchema>;
type Values = Readonly<Record<string, unknown>>;

/** The retention times in days that CloudWatch Logs accepts. Source: CloudWatch Logs API, PutRetentionPolicy. */
const logRetentions: ReadonlySet<number> = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653,
]);

/**
 * Reads and checks the settings of a stage.
 * @param given the settings on the command line
 * @param committed the settings kept for good, by stage
 * Throws an Error that names each wrong setting, the rule and the value received; also when there would be fewer shards
 * than are kept for the stage.
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
  const keptQueues = Number(kept['eventQueues'] ?? 0);
  const { shardCount, eventQueues } = result.data;
  if (eventQueues < keptQueues) {
    throw new Error(
      describe([
        `eventQueues: stage ${stage} has ${keptQueues} queues for events, and queues are only ever added (received ${eventQueues})`,
      ]),
    );
  }
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

/** The settings among all context values. The names of CDK's own values have a colon, a slash or a dash in them. */
export function settingsOf(context: Values): Settings {
  const { stages, ...rest } = Object.fromEntries(Object.entries(context).filter(([name]) => /^\w+$/.test(name)));
  const committed = z.record(z.string(), z.record(z.string(), z.unknown())).safeParse(stages ?? {});
  if (!committed.success) throw new Error(describe(['stages: must give settings by the name of a stage']));
  return parseSettings(rest, committed.data);
}
