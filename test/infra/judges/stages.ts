const OWNER = '111122223333';
const key = (name: string): string => `arn:aws:kms:us-east-1:${OWNER}:key/${name}`;
const KEY = key('12345678-90ab-cdef-1234-567890abcdef');
const REPLICA = key('mrk-1234567890abcdef1234567890abcdef');

/** The settings that satisfy every rule of Control Tower that a setting can satisfy (docs/deploy.md). */
const strictSettings = {
  network: 'private',
  logKeyArn: KEY,
  logRetentionDays: 365,
  containerInsights: 'on',
  alarmParts: 'ticket',
} as const;

/** The stages that are judged: each shape, and every setting that adds or changes resources. */
export const stages = {
  small: {},
  '10k': { shape: '10k' },
  '100k': { shape: '100k' },
  'private network': { network: 'private' },
  'small account': { accountConcurrency: 10 },
  'strict account': strictSettings,
  'everything that may be asked for': {
    zones: 3,
    zoneNames: ['us-east-1a', 'us-east-1b', 'us-east-1d'],
    spotPercent: 50,
    eventQueues: 2,
    alarmEmail: 'ops@example.com',
    dashboards: 'all',
    burnAlarms: 'all',
    domainName: 'api.example.com',
    certificateArn: `arn:aws:acm:us-east-1:${OWNER}:certificate/one`,
    streamDomainName: 'streams.example.com',
    streamCertificateArn: `arn:aws:acm:us-east-1:${OWNER}:certificate/two`,
    webAclArn: `arn:aws:wafv2:us-east-1:${OWNER}:global/webacl/one/two`,
    backupCopyVaultArn: `arn:aws:backup:eu-west-1:${OWNER}:backup-vault:far`,
    canaryKeyParameter: '/holdfast/test/canary',
    canaryConnectionId: 'con_canary',
    logKeyArn: KEY,
    permissionsBoundaryArn: `arn:aws:iam::${OWNER}:policy/boundary`,
  },
  'what an account has already': {
    vpcId: 'vpc-0a1b2c3d4e5f67890',
    subnetIds: 'subnet-0a1b2c3d4e5f67890,subnet-0b1b2c3d4e5f67890',
    zoneNames: 'us-east-1a,us-east-1b',
    network: 'private',
    dataKeyArn: REPLICA,
    pageTopicArn: `arn:aws:sns:us-east-1:${OWNER}:page`,
    ticketTopicArn: `arn:aws:sns:us-east-1:${OWNER}:ticket`,
    functionDeploys: 'at-once',
    tracePercent: 0,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type StageName = keyof typeof stages;
