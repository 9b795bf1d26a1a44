import { describe, expect, it } from 'vitest';
import { canaryConfig } from '../../../shared/platform/config.ts';
import { ACCOUNT, ofType, REGION, synthesizeStage } from '../synthesizeStage.ts';

const OWNER = '111122223333';
const domainName = 'api.example.com';
const certificateArn = `arn:aws:acm:${REGION}:${OWNER}:certificate/one`;
const webAclArn = `arn:aws:wafv2:us-east-1:${OWNER}:global/webacl/one/two`;
const backupCopyVaultArn = `arn:aws:backup:eu-west-1:${OWNER}:backup-vault:far`;
const canary = { canaryKeyParameter: '/holdfast/test/canary', canaryConnectionId: 'con_canary' };

const plain = synthesizeStage({});
const named = synthesizeStage({ domainName, certificateArn });
const full = synthesizeStage({ domainName, certificateArn, webAclArn, backupCopyVaultArn, ...canary });

describe('what a stage may have', () => {
  it('is not there unless it is asked for', () => {
    for (const type of ['AWS::ApiGatewayV2::DomainName', 'AWS::CloudFront::Distribution']) {
      expect(ofType(plain, type)).toEqual([]);
    }
    expect(
      ofType(plain, 'AWS::Lambda::Function').filter(({ properties }) => properties['FunctionName'] === 'test-canary'),
    ).toEqual([]);
  });

  it('gives the API a name of its own, with its certificate', () => {
    const [domain] = ofType(named, 'AWS::ApiGatewayV2::DomainName');

    expect(domain?.properties).toMatchObject({
      DomainName: domainName,
      DomainNameConfigurations: [{ CertificateArn: certificateArn, EndpointType: 'REGIONAL' }],
    });
    expect(ofType(named, 'AWS::ApiGatewayV2::ApiMapping')).toHaveLength(1);
  });

  it('puts a web ACL before the API, on a way that keeps nothing and takes TLS alone', () => {
    const [distribution] = ofType(full, 'AWS::CloudFront::Distribution');

    expect(distribution?.properties).toMatchObject({
      DistributionConfig: {
        WebACLId: webAclArn,
        // The name leads to the ACL and not around it.
        Aliases: [domainName],
        ViewerCertificate: { AcmCertificateArn: certificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
        DefaultCacheBehavior: {
          // AWS's own policies: caching disabled; all of the viewer's headers but the host.
          CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
          OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
          ViewerProtocolPolicy: 'https-only',
          AllowedMethods: expect.arrayContaining(['POST', 'PATCH', 'DELETE']),
        },
      },
    });
  });
});

describe('the canary of a stage', () => {
  const lambda = ofType(full, 'AWS::Lambda::Function').find(
    ({ properties }) => properties['FunctionName'] === 'test-canary',
  );
  const variables = (lambda?.properties['Environment'] as { readonly Variables: Record<string, string> } | undefined)
    ?.Variables;

  it('reads what its function is given, at the name that the stage has', () => {
    const config = canaryConfig({ ...variables, AWS_SESSION_TOKEN: 'token' });

    expect(config).toMatchObject({
      stage: 'test',
      apiUrl: `https://${domainName}`,
      connectionId: 'con_canary',
      keyParameter: '/holdfast/test/canary',
      extensionUrl: 'http://127.0.0.1:2773',
    });
    expect(JSON.stringify(config)).not.toContain('token"');
  });

  it('runs each minute, once, with a function of its own', () => {
    const rules = ofType(full, 'AWS::Events::Rule').filter(({ id }) => id.startsWith('Canary'));

    expect(rules[0]?.properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Targets: [{ RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } }],
    });
    expect(lambda?.properties).toMatchObject({ ReservedConcurrentExecutions: 1, TracingConfig: { Mode: 'Active' } });
  });

  it('may read its own parameter, and nothing of any table or queue', () => {
    const role = String(lambda?.properties['Role']).split('.')[0];
    const statements = ofType(full, 'AWS::IAM::Policy')
      .filter(({ properties }) => (properties['Roles'] as readonly string[]).includes(role ?? ''))
      .flatMap(
        ({ properties }) =>
          (properties['PolicyDocument'] as { Statement: readonly Readonly<Record<string, unknown>>[] }).Statement,
      );

    const actions = statements.flatMap(({ Action }) => Action as string | string[]);
    expect(actions.filter((action) => !/^(logs|xray):/.test(action))).toEqual(['ssm:GetParameter']);
    expect(statements.find(({ Action }) => Action === 'ssm:GetParameter')?.['Resource']).toBe(
      `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/holdfast/test/canary`,
    );
  });
});

describe('backups', () => {
  interface Plan {
    readonly BackupPlanRule: readonly Readonly<Record<string, unknown>>[];
  }
  const rulesOf = (resources: typeof plain): Plan['BackupPlanRule'] =>
    ofType(resources, 'AWS::Backup::BackupPlan').flatMap(
      ({ properties }) => (properties['BackupPlan'] as Plan).BackupPlanRule,
    );

  it('are made each night of what tenants and sessions need, with an end to each, in a vault that stays', () => {
    const [selection] = ofType(plain, 'AWS::Backup::BackupSelection');
    const [vault] = ofType(plain, 'AWS::Backup::BackupVault');

    expect(selection?.properties).toMatchObject({
      BackupSelection: {
        Resources: ['core', 'sessions'].map((name) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/test-${name}`),
      },
    });
    expect(rulesOf(plain)).toMatchObject([
      { ScheduleExpression: 'cron(15 3 * * ? *)', Lifecycle: { DeleteAfterDays: 3 } },
    ]);
    expect(vault?.deletionPolicy).toBe('RetainExceptOnCreate');
  });

  it('are copied elsewhere if the stage says where, and end there at the same time', () => {
    expect(rulesOf(plain)[0]).not.toHaveProperty('CopyActions');
    expect(rulesOf(full)[0]?.['CopyActions']).toEqual([
      { DestinationBackupVaultArn: backupCopyVaultArn, Lifecycle: { DeleteAfterDays: 3 } },
    ]);
  });

  it('can be read elsewhere, as the key of the sessions may have a replica there', () => {
    expect(ofType(plain, 'AWS::KMS::Key')[0]?.properties['MultiRegion']).toBe(true);
  });

  it('are heard of when one fails', () => {
    const [alarm] = ofType(plain, 'AWS::CloudWatch::Alarm').filter(
      ({ properties }) => properties['AlarmName'] === 'test-backup-fails',
    );

    expect(JSON.stringify(alarm?.properties['Metrics'])).toContain('NumberOfBackupJobsFailed');
    expect(alarm?.properties['AlarmActions']).toEqual([`arn:aws:sns:${REGION}:${ACCOUNT}:test-alarms-ticket`]);
  });
});

describe('what an account has already', () => {
  const key = `arn:aws:kms:${REGION}:${OWNER}:key/mrk-1234567890abcdef1234567890abcdef`;
  const topic = (name: string): string => `arn:aws:sns:${REGION}:${OWNER}:${name}`;
  const permissionsBoundaryArn = `arn:aws:iam::${OWNER}:policy/boundary`;
  const own = synthesizeStage({
    vpcId: 'vpc-0a1b2c3d4e5f67890',
    subnetIds: 'subnet-0a1b2c3d4e5f67890,subnet-0b1b2c3d4e5f67890',
    zoneNames: `${REGION}a,${REGION}b`,
    network: 'private',
    dataKeyArn: key,
    logKeyArn: key,
    pageTopicArn: topic('page'),
    ticketTopicArn: topic('ticket'),
    permissionsBoundaryArn,
  });

  it('is used instead of a network of our own', () => {
    expect(own.filter(({ type }) => /^AWS::EC2::(VPC|Subnet|NatGateway)$/.test(type))).toEqual([]);
    expect(ofType(own, 'AWS::ECS::Service')[0]?.properties['NetworkConfiguration']).toMatchObject({
      AwsvpcConfiguration: {
        AssignPublicIp: 'DISABLED',
        Subnets: ['subnet-0a1b2c3d4e5f67890', 'subnet-0b1b2c3d4e5f67890'],
      },
    });
  });

  it('wraps the keys of sessions with the key that is named, and encrypts every log with the one for logs', () => {
    expect(ofType(own, 'AWS::KMS::Key')).toEqual([]);
    expect(JSON.stringify(ofType(own, 'AWS::ECS::TaskDefinition'))).toContain(key);
    const logs = ofType(own, 'AWS::Logs::LogGroup').map(({ properties }) => properties['KmsKeyId']);
    expect(logs.length).toBeGreaterThan(8);
    expect(logs.filter((id) => id !== key)).toEqual([]);
  });

  it('hears every alarm on the topics that are named, and makes none', () => {
    const actions = [
      ...ofType(own, 'AWS::CloudWatch::Alarm'),
      ...ofType(own, 'AWS::CloudWatch::CompositeAlarm'),
    ].flatMap(({ properties }) => (properties['AlarmActions'] ?? []) as readonly string[]);

    expect(ofType(own, 'AWS::SNS::Topic')).toEqual([]);
    expect(new Set(actions)).toEqual(new Set([topic('page'), topic('ticket')]));
  });

  it('bounds every role', () => {
    const roles = ofType(own, 'AWS::IAM::Role').map(({ properties }) => properties['PermissionsBoundary']);

    expect(roles.filter((boundary) => boundary !== permissionsBoundaryArn)).toEqual([]);
  });
});

describe('traces', () => {
  const none = synthesizeStage({ tracePercent: 0 });

  it('are taken of one call in a hundred, or of none', () => {
    const modes = (resources: typeof plain) =>
      new Set(
        ofType(resources, 'AWS::Lambda::Function').map(
          ({ properties }) => (properties['TracingConfig'] as { Mode: string } | undefined)?.Mode,
        ),
      );

    expect(ofType(plain, 'AWS::XRay::SamplingRule')[0]?.properties['SamplingRule']).toMatchObject({
      FixedRate: 0.01,
      ReservoirSize: 0,
      ServiceName: 'test-*',
    });
    expect(modes(plain)).toEqual(new Set(['Active']));
    expect(ofType(none, 'AWS::XRay::SamplingRule')).toEqual([]);
    expect(modes(none)).toEqual(new Set([undefined]));
  });
});
