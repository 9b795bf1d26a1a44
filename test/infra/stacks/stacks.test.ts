import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHARD_INDEX, tableDefinitions } from '../../../shared/platform/tables.ts';
import { queueDefinitions } from '../../../shared/platform/queues.ts';
import { WORKER_CONTAINER } from '../../../functions/taskStopped/handler.ts';
import { readImageContents } from '../../../scripts/imageFiles.ts';
import { ofType, REGION, ACCOUNT, synthesizeOutputs, synthesizeStage, type Resource } from '../synthesizeStage.ts';
import { withoutRetention } from '../retention.ts';

const resources = synthesizeStage({});
// A synthesis takes seconds, and more while other tests run: it has no place in a test with a limit.
const privately = synthesizeStage({ network: 'private' });
const functions = ofType(resources, 'AWS::Lambda::Function');

describe('the small shape', () => {
  it('stays within what CloudFormation takes in one template', () => {
    const perTemplate = Map.groupBy(resources, ({ template }) => template);

    expect([...perTemplate.values()].map((all) => all.length).filter((count) => count > 500)).toEqual([]);
  });

  it('has an end to everything that is kept: logs, messages, items', () => {
    expect(withoutRetention(resources)).toEqual([]);
  });

  it.each([
    ['AWS::Logs::LogGroup', {}],
    ['AWS::SQS::Queue', { QueueName: 'q' }],
    ['AWS::DynamoDB::GlobalTable', { TimeToLiveSpecification: { Enabled: false } }],
    ['AWS::S3::Bucket', {}],
  ])('would be refused with a %s that keeps things for ever', (type, properties) => {
    const kept: Resource = { template: 't', id: 'Kept', type, properties, deletionPolicy: undefined, dependsOn: [] };

    expect(withoutRetention([...resources, kept])).toEqual(['Kept']);
  });
});

describe('tables', () => {
  const tables = ofType(resources, 'AWS::DynamoDB::GlobalTable');
  const replicaOf = ({ properties }: Resource) => (properties['Replicas'] as Record<string, unknown>[])[0];

  it('are those of the definitions, with their indexes', () => {
    expect(tables.map(({ properties }) => properties['TableName'])).toEqual([
      'test-core',
      'test-fleet',
      'test-sessions',
    ]);
    expect(tables.map(({ properties }) => indexNames(properties))).toEqual(
      tableDefinitions.map(({ indexes }) => indexes.map(({ name }) => name)),
    );
    expect(indexNames(tables[0]?.properties ?? {})).toEqual([SHARD_INDEX.name]);
  });

  it('are kept and protected, and can be put back as they were, except for the fleet', () => {
    expect(tables.map(({ deletionPolicy }) => deletionPolicy)).toEqual(
      Array.from({ length: 3 }, () => 'RetainExceptOnCreate'),
    );
    expect(tables.map((table) => replicaOf(table)?.['DeletionProtectionEnabled'])).toEqual([true, true, true]);
    expect(tables.map((table) => replicaOf(table)?.['PointInTimeRecoverySpecification'])).toEqual(
      [true, false, true].map((isEnabled) => ({ PointInTimeRecoveryEnabled: isEnabled })),
    );
  });

  it('have no stream, by which keys and messages could leave', () => {
    expect(tables.filter(({ properties }) => properties['StreamSpecification'] !== undefined)).toEqual([]);
  });

  it('come with a key for data keys that rotates and is kept', () => {
    const [key] = ofType(resources, 'AWS::KMS::Key');

    expect(key?.deletionPolicy).toBe('RetainExceptOnCreate');
    expect(key?.properties['EnableKeyRotation']).toBe(true);
  });
});

describe('the bucket', () => {
  const [bucket] = ofType(resources, 'AWS::S3::Bucket');
  const [policy] = ofType(resources, 'AWS::S3::BucketPolicy');

  it('is kept, sealed with the key of the stage, closed to the public, and without versions', () => {
    expect(bucket?.deletionPolicy).toBe('RetainExceptOnCreate');
    expect(bucket?.properties).toMatchObject({
      BucketName: `test-holdfast-media-${ACCOUNT}-${REGION}`,
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    expect(bucket?.properties['VersioningConfiguration']).toBeUndefined();
  });

  it('lets files end a day after the time that tenants choose, and uploads that nobody completed after a day', () => {
    const folder = (days: number) => ({
      Id: `files-${days}`,
      Status: 'Enabled',
      Prefix: `${days}d/`,
      ExpirationInDays: days + 1,
    });

    expect(bucket?.properties['LifecycleConfiguration']).toEqual({
      Rules: [
        { Id: 'files', Status: 'Enabled', ExpirationInDays: 91 },
        ...[1, 3, 7, 14, 30, 60].map(folder),
        { Id: 'prepared', Status: 'Enabled', Prefix: 'prepared/', ExpirationInDays: 14 },
        { Id: 'uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
    });
  });

  it('answers over TLS alone', () => {
    expect(policy?.properties['PolicyDocument']).toMatchObject({
      Statement: expect.arrayContaining([
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        expect.objectContaining({ Effect: 'Deny', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
      ]),
    });
  });
});

describe('queues', () => {
  it('are exactly those of the definitions, with their times and dead letters', () => {
    const found = ofType(resources, 'AWS::SQS::Queue').map(({ properties }) => ({
      name: properties['QueueName'],
      fifo: properties['FifoQueue'] === true,
      visibilityTimeoutSeconds: properties['VisibilityTimeout'],
      retentionSeconds: properties['MessageRetentionPeriod'],
      maxReceiveCount: (properties['RedrivePolicy'] as { maxReceiveCount?: number } | undefined)?.maxReceiveCount,
    }));

    const byName = (left: { name: unknown }, right: { name: unknown }): number =>
      String(left.name) < String(right.name) ? -1 : 1;
    const defined = queueDefinitions('test', 16).map(({ deadLetter, ...rest }) => ({
      ...rest,
      maxReceiveCount: deadLetter?.maxReceiveCount,
    }));
    expect(found.sort(byName)).toEqual(defined.sort(byName));
  });

  it('are all in the mode of high throughput where they are FIFO, dead letters too', () => {
    const fifo = ofType(resources, 'AWS::SQS::Queue').filter(({ properties }) => properties['FifoQueue'] === true);

    const modes = fifo.map(({ properties }) => [properties['DeduplicationScope'], properties['FifoThroughputLimit']]);

    expect(fifo.length).toBe(queueDefinitions('test', 16).filter((definition) => definition.fifo).length);
    expect(new Set(modes.map((mode) => mode.join()))).toEqual(new Set(['messageGroup,perMessageGroupId']));
  });

  it('have command queues whose dead letters go to the one queue for them', () => {
    const commands = ofType(resources, 'AWS::SQS::Queue').filter(({ template }) => template.includes('nested'));

    const targets = new Set(
      commands.map(({ properties }) => (properties['RedrivePolicy'] as Record<string, unknown>)['deadLetterTargetArn']),
    );

    expect([...targets]).toEqual([`arn:aws:sqs:${REGION}:${ACCOUNT}:test-command-dead.fifo`]);
  });

  it('are changed only after the guard of the shard count has agreed', () => {
    const [guard] = ofType(resources, 'AWS::CloudFormation::CustomResource');

    expect(guard?.properties).toMatchObject({ stage: 'test', shardCount: 16, ServiceTimeout: 120 });
  });
});

describe('functions', () => {
  it.each(functions.map(({ properties }) => [String(properties['FunctionName']), properties] as const))(
    '%s runs on Node 24 and ARM, traced, with a log of its own and reserved concurrency',
    (name, properties) => {
      expect(properties).toMatchObject({
        // The function media is an image with a Node of ours, as it has programs beside it.
        ...(name === 'test-media' ? { PackageType: 'Image' } : { Runtime: 'nodejs24.x' }),
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        ReservedConcurrentExecutions: expect.any(Number),
        LoggingConfig: { LogGroup: expect.any(String) },
      });
      expect(
        ofType(resources, 'AWS::Logs::LogGroup').map(({ properties: { LogGroupName } }) => LogGroupName),
      ).toContain(name.replace(/^test-/, '/holdfast/test/'));
    },
  );

  it('are one for each entry, and the guard', () => {
    const names = [
      'admin',
      'api',
      'archive',
      'deliver',
      'dispatch',
      'ingest',
      'media',
      'reconcile',
      'shard-count',
      'task-stopped',
      'watchdog',
    ];

    expect(functions).toHaveLength(names.length);
    expect(new Set(functions.map(({ properties }) => properties['FunctionName']))).toEqual(
      new Set(names.map((name) => `test-${name}`)),
    );
  });

  it('take batches that can fail in part, no more at once than is reserved, and end before the visibility, which is over in 45 s where a message waits for it', () => {
    const queues = queueDefinitions('test', 16);
    const sources = ofType(resources, 'AWS::Lambda::EventSourceMapping');

    const judged = sources.map(({ properties }) => {
      const alias = ofType(resources, 'AWS::Lambda::Alias').find(
        ({ id }) => properties['FunctionName'] === `${id}:live`,
      );
      const target = functions.find(({ id }) => id === alias?.properties['FunctionName'])?.properties ?? {};
      const queue = queues.find(({ name }) => String(properties['EventSourceArn']).endsWith(`:${name}`));
      return {
        name: target['FunctionName'],
        partial: properties['FunctionResponseTypes'],
        batch: properties['BatchSize'],
        atOnce: (properties['ScalingConfig'] as Record<string, unknown>)['MaximumConcurrency'],
        room: (queue?.visibilityTimeoutSeconds ?? 0) - Number(target['Timeout']) >= 10,
        goesOn: (queue?.visibilityTimeoutSeconds ?? 60) <= 45 - 15,
        reserved: target['ReservedConcurrentExecutions'],
      };
    });

    expect(judged).toEqual(
      [
        { name: 'test-ingest', concurrency: 5, batch: 10, goesOn: true },
        { name: 'test-deliver', concurrency: 10, atOnce: 8, batch: 10, goesOn: true },
        // Endpoints that take their time have a part of it.
        { name: 'test-deliver', concurrency: 10, atOnce: 2, batch: 10, goesOn: true },
        // A large file takes minutes.
        { name: 'test-media', concurrency: 5, batch: 4, goesOn: false },
      ].map(({ name, concurrency, atOnce = concurrency, batch, goesOn }) => ({
        name,
        partial: ['ReportBatchItemFailures'],
        batch,
        atOnce,
        room: true,
        goesOn,
        reserved: concurrency,
      })),
    );
  });

  it('shift a tenth of the calls to a new version first, and go back when it fails', () => {
    const groups = ofType(resources, 'AWS::CodeDeploy::DeploymentGroup').map(({ properties }) => properties);
    const alarms = groups.map(({ AlarmConfiguration }) => AlarmConfiguration as { Alarms: { Name: string }[] });

    expect(groups).toHaveLength(5);
    expect(new Set(groups.map((group) => group['DeploymentConfigName']))).toEqual(
      new Set(['CodeDeployDefault.LambdaCanary10Percent5Minutes']),
    );
    expect(alarms.every(({ Alarms }) => Alarms.length === 1)).toBe(true);
    expect(
      groups.map(({ AutoRollbackConfiguration }) => (AutoRollbackConfiguration as { Events: string[] }).Events),
    ).toEqual(groups.map(() => expect.arrayContaining(['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM'])));
    expect(ofType(resources, 'AWS::Lambda::Alias').map(({ properties }) => properties['Name'])).toEqual(
      groups.map(() => 'live'),
    );
  });

  it('are called through their aliases by the API and the queues', () => {
    const aliases = new Set(ofType(resources, 'AWS::Lambda::Alias').map(({ id }) => id));

    const called = [
      ...ofType(resources, 'AWS::Lambda::EventSourceMapping').map(({ properties }) =>
        String(properties['FunctionName']).replace(/:live$/, ''),
      ),
      ...ofType(resources, 'AWS::ApiGatewayV2::Integration').map(({ properties }) => properties['IntegrationUri']),
    ];

    expect(called.filter((id) => !aliases.has(String(id)))).toEqual([]);
    expect(called).toHaveLength(6);
  });

  it.each(['reconcile', 'dispatch', 'archive', 'watchdog'])('runs %s each minute, without a retry', (name) => {
    const lambda = functions.find(({ properties }) => properties['FunctionName'] === `test-${name}`);
    const rules = ofType(resources, 'AWS::Events::Rule').map(({ properties }) => properties);

    const own = rules.filter((rule) => JSON.stringify(rule['Targets']).includes(`"${lambda?.id}.Arn"`));

    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Targets: [{ RetryPolicy: { MaximumRetryAttempts: 0 } }],
    });
  });

  it('lets no run of the watchdog meet the next', () => {
    const watchdog = functions.find(({ properties }) => properties['FunctionName'] === 'test-watchdog')?.properties;

    expect(watchdog?.['ReservedConcurrentExecutions']).toBe(1);
    expect(Number(watchdog?.['Timeout'])).toBeLessThan(60);
  });
});

describe('what a person needs after a deploy', () => {
  it('is an output: the API, its command for a first key, the dashboard, and what npm run ops reads', () => {
    const outputs = synthesizeOutputs({});

    expect(Object.keys(outputs['test-api'] ?? {})).toEqual(
      expect.arrayContaining(['ApiAddress', 'ApiId', 'RequestsPerSecond']),
    );
    expect(Object.keys(outputs['test-queues'] ?? {})).toEqual(
      expect.arrayContaining(['QueueUrlBase', 'Shards', 'EventQueues']),
    );
    expect(Object.keys(outputs['test-workers'] ?? {})).toEqual(
      expect.arrayContaining(['ClusterName', 'ServiceName', 'WorkersLeast', 'WorkersMost', 'RestoreCommand']),
    );
    expect(Object.keys(outputs['test-backups'] ?? {})).toContain('RestoreRoleArn');
    expect(outputs['test-ops']).toMatchObject({
      OperatorKeyCommand: `npm run ops -- create-operator-key --role admin --stage test --region ${REGION}`,
      DashboardAddress: expect.stringContaining('dashboards/dashboard/test-holdfast'),
    });
  });
});

describe('API', () => {
  it('sends operators to a function of their own, slower than tenants, and asks nobody else who is calling', () => {
    const routes = ofType(resources, 'AWS::ApiGatewayV2::Route').map(({ properties }) => properties);
    const [stage] = ofType(resources, 'AWS::ApiGatewayV2::Stage');

    expect(routes.map((route) => route['RouteKey'])).toEqual([
      'ANY /v1/{proxy+}',
      'ANY /health',
      'ANY /health/ready',
      'ANY /problems',
      'ANY /problems/{code}',
      'ANY /pair',
      'ANY /pair/{asset}',
      'ANY /v1/admin/{proxy+}',
      'ANY /health/detailed',
    ]);
    expect(new Set(routes.map((route) => route['Target'])).size).toBe(2);
    expect(new Set(routes.map((route) => route['AuthorizationType']))).toEqual(new Set(['NONE']));
    expect(stage?.properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      RouteSettings: Object.fromEntries(
        ['ANY /v1/admin/{proxy+}', 'ANY /health/detailed'].map((route) => [
          route,
          { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 },
        ]),
      ),
    });
  });

  it('writes neither paths nor headers to its log', () => {
    const [stage] = ofType(resources, 'AWS::ApiGatewayV2::Stage');

    const { Format = '' } = (stage?.properties['AccessLogSettings'] ?? {}) as { readonly Format?: string };

    expect([...Format.matchAll(/\$context\.([\w.]+)/g)].map(([, name]) => name)).toEqual([
      'requestId',
      'requestTimeEpoch',
      'routeKey',
      'status',
      'responseLatency',
      'integrationErrorMessage',
    ]);
  });
});

describe('workers', () => {
  const tasks = ofType(resources, 'AWS::ECS::TaskDefinition');
  const containerOf = (task: Resource | undefined) =>
    (task?.properties['ContainerDefinitions'] as readonly Readonly<Record<string, unknown>>[] | undefined)?.[0];
  const task = tasks.find((one) => containerOf(one)?.['Name'] === WORKER_CONTAINER);
  const restore = tasks.find((one) => containerOf(one)?.['Name'] === 'restore');
  const [service] = ofType(resources, 'AWS::ECS::Service');

  it('run on ARM in a container that cannot write to its files, is not root, and has two minutes to stop', () => {
    expect(task?.properties).toMatchObject({
      RuntimePlatform: { CpuArchitecture: 'ARM64' },
      ContainerDefinitions: [
        {
          Name: WORKER_CONTAINER,
          ReadonlyRootFilesystem: true,
          User: '1000:1000',
          StopTimeout: 120,
        },
      ],
    });
  });

  it('are asked for their health as the image says, with Node itself, at the port that they listen on', () => {
    const { healthCommand: ofImage, environment } = readImageContents(join(import.meta.dirname, '../../..'));
    const container = containerOf(task);

    expect(container?.['HealthCheck']).toEqual({
      Command: ['CMD', ...ofImage],
      Interval: 30,
      Retries: 3,
      StartPeriod: 120,
      Timeout: 10,
    });
    expect(ofImage.at(-1)).toBe(environment['HOLDFAST_STATUS_PORT']);
    expect(container?.['Environment']).toContainEqual({
      Name: 'HOLDFAST_STATUS_PORT',
      Value: environment['HOLDFAST_STATUS_PORT'],
    });
  });

  it('have beside them a task for the end of a restore, of the same image, that nobody takes for a worker', () => {
    expect(tasks).toHaveLength(2);
    expect(restore?.properties).toMatchObject({
      Family: 'test-restore',
      ContainerDefinitions: [
        {
          Name: 'restore',
          Image: containerOf(task)?.['Image'],
          Command: ['node', 'worker/restore.mjs'],
          ReadonlyRootFilesystem: true,
          User: '1000:1000',
        },
      ],
    });
    expect(containerOf(restore)?.['HealthCheck']).toBeUndefined();
    expect(restore?.properties['TaskRoleArn']).not.toBe(task?.properties['TaskRoleArn']);
  });

  it('are as many as the leader says that are needed, which no deploy sets back', () => {
    const [target] = ofType(resources, 'AWS::ApplicationAutoScaling::ScalableTarget');
    const [policy] = ofType(resources, 'AWS::ApplicationAutoScaling::ScalingPolicy');

    expect(service?.properties).not.toHaveProperty('DesiredCount');
    expect(target?.properties).toMatchObject({ MinCapacity: 2, MaxCapacity: 4 });
    expect(policy?.properties).toMatchObject({
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 80,
        ScaleInCooldown: 900,
        ScaleOutCooldown: 180,
        CustomizedMetricSpecification: {
          Namespace: 'Holdfast',
          MetricName: 'FleetUtilisation',
          Statistic: 'Average',
          Dimensions: [{ Name: 'stage', Value: 'test' }],
        },
      },
    });
  });

  it('start only when they can reach the image and may pull it, in every network', () => {
    for (const all of [resources, privately]) {
      const [one] = ofType(all, 'AWS::ECS::Service');
      const depends = one?.dependsOn ?? [];

      expect(depends.filter((id) => /DefaultRoute/.test(id))).toHaveLength(2);
      expect(depends.some((id) => id.startsWith('TaskExecutionRoleDefaultPolicy'))).toBe(true);
    }
  });

  it('run on capacity that belongs to the cluster itself, which cannot be late or in the way', () => {
    const [cluster] = ofType(resources, 'AWS::ECS::Cluster');

    expect(cluster?.properties['CapacityProviders']).toEqual(['FARGATE', 'FARGATE_SPOT']);
    expect(ofType(resources, 'AWS::ECS::ClusterCapacityProviderAssociations')).toEqual([]);
  });

  it('take their deploy generation from the revision of a definition whose name never changes', () => {
    expect(task?.properties['Family']).toBe('test-worker');
    expect(JSON.stringify(containerOf(task)?.['Environment'])).not.toContain('HOLDFAST_GENERATION');
  });

  it('carry the tags of the stage, by which costs are told apart', () => {
    expect(service?.properties['PropagateTags']).toBe('SERVICE');
  });

  it('are replaced all at once, none before another is healthy, and put back as they were when the new ones do not start', () => {
    expect(service?.properties).toMatchObject({
      AvailabilityZoneRebalancing: 'DISABLED',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
    });
  });

  it('have public addresses, no NAT gateway, nobody who may connect, and a free way to the tables', () => {
    const groups = ofType(resources, 'AWS::EC2::SecurityGroup');

    expect(ofType(resources, 'AWS::EC2::NatGateway')).toEqual([]);
    expect(service?.properties).toMatchObject({
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
    expect(groups.map(({ properties }) => properties['SecurityGroupIngress'])).toEqual([undefined]);
    expect(ofType(resources, 'AWS::EC2::SecurityGroupIngress')).toEqual([]);
    expect(ofType(resources, 'AWS::EC2::VPCEndpoint').map(({ properties }) => properties['ServiceName'])).toEqual([
      `com.amazonaws.${REGION}.dynamodb`,
      `com.amazonaws.${REGION}.s3`,
    ]);
  });

  it('are heard of when their container stops, in their own cluster', () => {
    const rules = ofType(resources, 'AWS::Events::Rule').map(({ properties }) => properties['EventPattern']);
    const [cluster] = ofType(resources, 'AWS::ECS::Cluster');

    expect(rules).toContainEqual({
      source: ['aws.ecs'],
      'detail-type': ['ECS Task State Change'],
      detail: {
        clusterArn: [`${cluster?.id}.Arn`],
        containers: { name: [WORKER_CONTAINER], lastStatus: ['STOPPED'] },
      },
    });
  });
});

function indexNames(properties: Readonly<Record<string, unknown>>): readonly unknown[] {
  const indexes = (properties['GlobalSecondaryIndexes'] ?? []) as readonly Record<string, unknown>[];
  return indexes.map((index) => index['IndexName']);
}
