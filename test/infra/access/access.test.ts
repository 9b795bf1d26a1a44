import { describe, expect, it } from 'vitest';
import {
  adminConfig,
  apiConfig,
  archiveConfig,
  deliverConfig,
  fleetConfig,
  ingestConfig,
  mediaConfig,
  watchdogConfig,
  workerConfig,
} from '../../../shared/platform/config.ts';
import { commandQueueName } from '../../../shared/platform/queues.ts';
import { ofType, REGION, ACCOUNT, synthesizeStage } from '../synthesizeStage.ts';

const SHARDS = 1_001;
const resources = synthesizeStage({ shardCount: SHARDS });

interface Grant {
  readonly role: string;
  readonly actions: readonly string[];
  readonly targets: readonly string[];
  readonly condition: unknown;
}

type Statement = Readonly<Record<'Effect' | 'Action' | 'Resource' | 'Condition', unknown>>;
const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [value]).map(String);

/** Everything that roles are allowed, whichever way it was attached. */
const grants: readonly Grant[] = [
  ...ofType(resources, 'AWS::IAM::Policy').flatMap(({ properties }) =>
    listOf(properties['Roles']).flatMap((role) => toGrants(role, properties['PolicyDocument'])),
  ),
  ...ofType(resources, 'AWS::IAM::Role').flatMap(({ id, properties }) =>
    ((properties['Policies'] ?? []) as readonly Record<string, unknown>[]).flatMap((policy) =>
      toGrants(id, policy['PolicyDocument']),
    ),
  ),
];

function toGrants(role: string, document: unknown): readonly Grant[] {
  return (document as { readonly Statement: readonly Statement[] }).Statement.filter(
    ({ Effect }) => Effect === 'Allow',
  ).map(({ Action, Resource, Condition }) => ({
    role,
    actions: listOf(Action),
    targets: listOf(Resource),
    condition: Condition,
  }));
}

/** Role of each process, by the name of its function; of the worker, its task's. */
const roles = new Map<string, string>([
  ...ofType(resources, 'AWS::Lambda::Function').map(
    ({ properties }) =>
      [
        String(properties['FunctionName']).slice('test-'.length),
        String(properties['Role']).split('.')[0] ?? '',
      ] as const,
  ),
  ...ofType(resources, 'AWS::ECS::TaskDefinition').map(
    ({ properties }) =>
      [
        (properties['ContainerDefinitions'] as readonly { readonly Name: string }[])[0]?.Name ?? '',
        String(properties['TaskRoleArn']).split('.')[0] ?? '',
      ] as const,
  ),
]);
const grantsOf = (process: string): readonly Grant[] => grants.filter(({ role }) => role === roles.get(process));
const processesWith = (predicate: (grant: Grant) => boolean): readonly string[] =>
  [...roles]
    .filter(([, role]) => grants.some((grant) => grant.role === role && predicate(grant)))
    .map(([name]) => name)
    .sort();

const table = (name: string): string => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/test-${name}`;
const touches = ({ targets }: Grant, name: string): boolean => targets.some((target) => target.startsWith(table(name)));
const keysOnly = (key: string) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [key] } });
const writes = ({ actions }: Grant): boolean =>
  actions.some((action) => /dynamodb:(Put|Update|Delete|BatchWrite|Partiql)/i.test(action));

describe('what roles may do', () => {
  it('is known for every process', () => {
    expect([...roles.keys()].sort()).toEqual([
      'admin',
      'api',
      'archive',
      'deliver',
      'dispatch',
      'ingest',
      'media',
      'reconcile',
      'restore',
      'shard-count',
      'task-stopped',
      'watchdog',
      'worker',
    ]);
    expect(grants.length).toBeGreaterThan(roles.size);
  });

  it('names every action in full', () => {
    expect(grants.flatMap(({ actions }) => actions).filter((action) => action.includes('*'))).toEqual([]);
  });

  it('names every resource, except where AWS knows none', () => {
    const everywhere = grants.filter(({ targets }) => targets.includes('*')).flatMap(({ actions }) => actions);

    const known = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'ecr:GetAuthorizationToken'];
    expect(everywhere.length).toBeGreaterThan(0);
    expect(everywhere.filter((action) => !known.includes(action))).toEqual([]);
  });

  it('comes from no policy that AWS manages, but for what shifts versions of functions', () => {
    const managed = ofType(resources, 'AWS::IAM::Role').flatMap(
      ({ properties }) => (properties['ManagedPolicyArns'] ?? []) as readonly string[],
    );

    expect([...new Set(managed)]).toEqual(['arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited']);
  });

  it('lets workers alone touch sessions, and the task that follows a restore of them', () => {
    expect(processesWith((grant) => touches(grant, 'sessions'))).toEqual(['restore', 'worker']);
  });

  it('lets the fleet be written by workers, a restore, what hears of stopped tasks, the watchdog and operators: by these, leases and an item of their own; and ingest say how far behind it is', () => {
    const writers = processesWith((grant) => touches(grant, 'fleet') && writes(grant));

    expect(writers).toEqual(['admin', 'ingest', 'restore', 'task-stopped', 'watchdog', 'worker']);
    expect(
      grantsOf('ingest')
        .filter((grant) => touches(grant, 'fleet'))
        .map(({ actions, condition }) => [actions, condition]),
    ).toEqual([[['dynamodb:PutItem'], keysOnly('DIGEST#ingest')]]);
    for (const process of ['admin', 'task-stopped', 'watchdog'] as const) {
      const [write, ...others] = grantsOf(process).filter((grant) => touches(grant, 'fleet') && writes(grant));
      const own = { watchdog: 'WATCHDOG', admin: 'WHATSAPP_VERSION', 'task-stopped': undefined }[process];
      expect(others.map(({ condition }) => condition)).toEqual(own === undefined ? [] : [keysOnly(own)]);
      expect(others.flatMap(({ actions }) => actions).filter((action) => /Update|Delete/.test(action))).toEqual([]);
      expect(write?.actions.filter((action) => action !== 'dynamodb:Query')).toEqual(['dynamodb:UpdateItem']);
      expect(write?.condition).toEqual(keysOnly('LEASE#*'));
    }
  });

  it('keeps every function to the keys of the core table that it uses; who follows a restore reads it from end to end', () => {
    const free = grants.filter(
      ({ actions, condition, role, ...grant }) =>
        touches({ actions, condition, role, ...grant }, 'core') &&
        condition === undefined &&
        !role.startsWith('BackupRole') &&
        !role.startsWith('RestoreRole') &&
        !(role.startsWith('Restore') && actions.join() === 'dynamodb:Scan'),
    );

    expect(free).toEqual([]);
  });

  it('lets backups read no item themselves, and touch no table but the two that are backed up', () => {
    const ofBackups = grants.filter(({ role }) => role.startsWith('BackupRole'));

    const actions = ofBackups.flatMap((grant) => grant.actions);
    const targets = new Set(
      ofBackups.flatMap((grant) => grant.targets.map((target) => target.replace('/backup/*', ''))),
    );
    expect(actions.filter((action) => /Item|Query|Scan|Restore|PartiQL/.test(action))).toEqual([]);
    expect([...targets]).toEqual([table('core'), table('sessions')]);
  });

  it('lets a restore write the two tables that are backed up and their restored twins, and no other', () => {
    const targets = new Set(
      grants.filter(({ role }) => role.startsWith('RestoreRole')).flatMap((grant) => grant.targets),
    );

    expect(
      [...targets].filter((target) => target.includes(':dynamodb:') && !target.includes('/backup/')).sort(),
    ).toEqual(['core', 'core-restored', 'sessions', 'sessions-restored'].map(table));
  });

  it('keeps operators from what tenants and their contacts wrote: they may bring rows back, and read none of them', () => {
    const isInsert = ({ actions }: Grant): boolean => actions.join() === 'dynamodb:PartiQLInsert';
    const inserted = grantsOf('admin').filter(isInsert);
    const keys = grantsOf('admin')
      .filter((grant) => touches(grant, 'core') && !isInsert(grant))
      .map(({ condition }) => condition);
    const ofArchive = grantsOf('admin').filter(({ condition }) => JSON.stringify(condition ?? '').includes('ARCHIVE'));

    expect(ofArchive.flatMap(({ actions }) => actions)).toEqual(['dynamodb:PutItem']);
    expect(keys).toEqual(
      [
        ['KEY#*'],
        ['TENANT#*'],
        ['TENANTS#*'],
        ['TENANT_WORK'],
        ['ARCHIVE', 'ARCHIVE#*'],
        ['AUDIT#*'],
        ['PARKED#*'],
        ['SHARD#*'],
      ].map((keys) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } })),
    );
    expect(inserted.map(({ condition }) => condition)).toEqual(
      ['CON#*', 'CHATS#*', 'CONTACTS#*', 'HISTORY#*'].map(keysOnly),
    );
  });

  it('lets nobody but a restore read a whole table of tenants or of sessions', () => {
    const scansOf = (name: string) =>
      processesWith((grant) => touches(grant, name) && grant.actions.includes('dynamodb:Scan'));

    expect(scansOf('core')).toEqual(['restore']);
    expect(scansOf('sessions')).toEqual(['restore']);
  });

  const isOfKms = ({ actions }: Grant): boolean => actions.some((action) => action.startsWith('kms:'));

  it('lets the API read files and store what tenants bring, and the media function store files of messages, in the one bucket and through S3 alone', () => {
    const bucket = `arn:aws:s3:::test-holdfast-media-${ACCOUNT}-${REGION}`;
    const ofObjects = (process: string) =>
      grantsOf(process)
        .filter(({ actions }) => actions.some((action) => action.startsWith('s3:')))
        .map(({ actions, targets }) => [actions, targets]);
    const throughS3 = {
      StringEquals: {
        'kms:ViaService': `s3.${REGION}.amazonaws.com`,
        'kms:EncryptionContext:aws:s3:arn': bucket,
      },
    };

    expect(processesWith(({ actions }) => actions.some((action) => action.startsWith('s3:')))).toEqual([
      'api',
      'archive',
      'media',
    ]);
    // Exports lie under names of their own, too.
    expect(ofObjects('archive')).toEqual([
      [['s3:GetObject'], [`${bucket}/*`]],
      [['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:PutObject'], [`${bucket}/*/exports/*`]],
      [['s3:ListBucket'], [bucket]],
    ]);
    // What tenants bring lies under names that no file of a message has.
    expect(ofObjects('api')).toEqual([
      [['s3:GetObject'], [`${bucket}/*`]],
      [['s3:DeleteObject', 's3:ListMultipartUploadParts', 's3:PutObject'], [`${bucket}/*/brought/*`]],
      [['s3:ListBucket'], [bucket]],
    ]);
    expect(ofObjects('media')).toEqual([
      [['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:GetObject', 's3:PutObject'], [`${bucket}/*`]],
      [['s3:ListBucket'], [bucket]],
    ]);
    expect(grantsOf('api').filter(isOfKms)).toEqual([
      expect.objectContaining({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], condition: throughS3 }),
    ]);
    expect(grantsOf('media').filter(isOfKms)).toEqual([
      expect.objectContaining({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], condition: throughS3 }),
    ]);
  });

  it('lets the media function see rows of files, what histories bring, and no row of a tenant', () => {
    const tables = grantsOf('media').filter(({ actions }) => actions.some((action) => action.startsWith('dynamodb:')));

    expect(tables.map(({ condition }) => condition)).toEqual([
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['MEDIA#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['UPLOAD#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['FILES#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['OBJECT#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['KEPT#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['HISTORY#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['CON#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['CHATS#*'] } },
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['CONTACTS#*'] } },
    ]);
  });

  it('lets workers and a restore alone unwrap data keys, and only for a named tenant and connection', () => {
    expect(processesWith(isOfKms)).toEqual(['api', 'archive', 'media', 'restore', 'worker']);
    for (const process of ['restore', 'worker'])
      expect(grantsOf(process).filter(isOfKms)).toEqual([
        expect.objectContaining({
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          condition: {
            Null: { 'kms:EncryptionContext:tenantId': 'false', 'kms:EncryptionContext:connectionId': 'false' },
            'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['tenantId', 'connectionId'] },
          },
        }),
      ]);
  });

  it('lets the API send commands of every shard, deliveries and jobs of files, and nothing else to any queue', () => {
    const toQueues = grantsOf('api').filter(({ actions }) => actions.some((action) => action.startsWith('sqs:')));
    const targets = toQueues.flatMap((grant) => grant.targets);
    const matches = (name: string): boolean =>
      targets.some((target) =>
        new RegExp(
          `^${target
            .replaceAll('.', String.raw`\.`)
            .replaceAll('?', '.')
            .replaceAll('*', '.*')}$`,
        ).test(`arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`),
      );

    expect(new Set(toQueues.flatMap(({ actions }) => actions))).toEqual(new Set(['sqs:SendMessage']));
    expect(targets.filter((target) => !target.includes('-command-'))).toEqual([
      `arn:aws:sqs:${REGION}:${ACCOUNT}:test-deliveries`,
      `arn:aws:sqs:${REGION}:${ACCOUNT}:test-media`,
    ]);
    expect([0, 999, 1_000].filter((shard) => !matches(commandQueueName('test', shard)))).toEqual([]);
    expect(['test-command-dead.fifo', 'test-events-00.fifo', 'prod-command-0000.fifo'].filter(matches)).toEqual([]);
  });

  it.each([
    ['watchdog', 'stop', 'ecs:StopTask'],
    ['worker', 'protect', 'ecs:UpdateTaskProtection'],
  ])('lets the %s alone %s tasks, and only those of the cluster of the workers', (process, _does, action) => {
    const isOfEcs = ({ actions }: Grant): boolean => actions.some((one) => one.startsWith('ecs:'));
    const [cluster] = ofType(resources, 'AWS::ECS::Cluster');

    const found = grantsOf(process).filter(isOfEcs);

    expect(processesWith(({ actions }) => actions.includes(action))).toEqual([process]);
    expect(found.map(({ actions }) => actions)).toEqual([[action]]);
    expect(found[0]?.targets).toEqual([`arn:aws:ecs:${REGION}:${ACCOUNT}:task/${cluster?.id}/*`]);
    expect(found[0]?.condition).toEqual({ ArnEquals: { 'ecs:cluster': `${cluster?.id}.Arn` } });
  });

  it('lets the watchdog send commands to shards, as the API does, and receive none', () => {
    const toQueues = (name: string) =>
      grantsOf(name)
        .filter(({ actions }) => actions.some((action) => action.startsWith('sqs:')))
        .flatMap(({ actions, targets }) => targets.map((target) => `${actions.join()} ${target}`));

    expect(toQueues('watchdog')).toEqual(toQueues('api').filter((grant) => grant.includes('-command-')));
    expect(toQueues('watchdog').length).toBeGreaterThan(0);
  });

  it('lets the guard of the shard count write its log and traces, and ask whether its own stack is taken back', () => {
    const own = grantsOf('shard-count');
    const actions = own.flatMap((grant) => grant.actions);

    expect(own.find((grant) => grant.actions.includes('cloudformation:DescribeStacks'))?.targets).toEqual([
      'AWS::StackId',
    ]);
    expect(actions.sort()).toEqual([
      'cloudformation:DescribeStacks',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });
});

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
}

describe('the environment of processes', () => {
  const variablesOf = (name: string): Record<string, string> => {
    const found = ofType(resources, 'AWS::Lambda::Function').find(
      ({ properties }) => properties['FunctionName'] === `test-${name}`,
    );
    return (
      (found?.properties['Environment'] as { readonly Variables: Record<string, string> } | undefined)?.Variables ?? {}
    );
  };
  const ofWorker = (): Record<string, string> => {
    const containers = ofType(resources, 'AWS::ECS::TaskDefinition').flatMap(
      ({ properties }) => properties['ContainerDefinitions'] as readonly Container[],
    );
    return Object.fromEntries(
      containers.flatMap(({ Environment }) => Environment.map(({ Name, Value }) => [Name, Value])),
    );
  };

  it.each([
    ['api', apiConfig],
    ['admin', adminConfig],
    ['ingest', ingestConfig],
    ['deliver', deliverConfig],
    ['media', mediaConfig],
    ['reconcile', ingestConfig],
    ['dispatch', ingestConfig],
    ['archive', archiveConfig],
    ['task-stopped', fleetConfig],
    ['watchdog', watchdogConfig],
  ] as const)('is what %s reads of it', (name, parse) => {
    // Lambda itself adds the region.
    const config = parse({ ...variablesOf(name), AWS_REGION: REGION });

    expect(config).toMatchObject({
      stage: 'test',
      shardCount: SHARDS,
      shardCap: 50,
      queueUrlBase: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/`,
      dynamoDbEndpoint: undefined,
      sqsEndpoint: undefined,
    });
  });

  it('is what a worker reads, together with the task that ECS names', () => {
    const environment = { ...ofWorker(), HOLDFAST_KMS_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/one' };

    const config = workerConfig(environment, { taskId: 'task', zone: 'us-east-1a', generation: undefined });

    expect(config).toMatchObject({
      stage: 'test',
      region: REGION,
      deployGeneration: 0,
      taskId: 'task',
      zone: 'us-east-1a',
      status: { host: '127.0.0.1', port: 8_081 },
      shardCount: SHARDS,
      keyFile: undefined,
    });
    expect(ofWorker()['HOLDFAST_KMS_KEY_ARN']).toMatch(/^import:/);
    expect(() => workerConfig(environment)).toThrow('HOLDFAST_TASK_ID');
  });

  it('holds no secret and no word of loopback', () => {
    const names = [
      'api',
      'admin',
      'ingest',
      'deliver',
      'reconcile',
      'dispatch',
      'archive',
      'task-stopped',
      'watchdog',
    ].flatMap((name) => Object.keys(variablesOf(name)));

    expect(
      [...names, ...Object.keys(ofWorker())].filter((name) => /SECRET|TOKEN|PASSWORD|LOOPBACK|KEY_FILE/.test(name)),
    ).toEqual([]);
  });
});
