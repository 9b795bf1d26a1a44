import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  batchesAtOnce,
  sharesOfQueues,
  quotaForReservations,
  reservesConcurrency,
} from '../../../infra/settings/concurrency.ts';
import { parseSettings, settingsOf } from '../../../infra/settings/settings.ts';
import { played } from '../../sample.ts';
import { BACKUP_DAYS } from '../../../shared/tenant/tenantDeleted.ts';

describe('settings', () => {
  it('makes the small shape of none: two workers and 16 queues', () => {
    const settings = parseSettings({});

    expect(settings).toMatchObject({ stage: 'dev', shape: 'small', workers: 2, shardCount: 16, network: 'public' });
  });

  it.each(['10k', '100k'])('has room in the shape %s for as many connections as its name says', (shape) => {
    const { shardCount, shardCap } = parseSettings({ shape });

    expect(shardCount * shardCap).toBeGreaterThan(Number(shape.replace('k', '000')));
  });

  it('lets a setting win over the shape, as text of the command line, too', () => {
    expect(parseSettings({ shape: '10k', workers: '18' })).toMatchObject({ workers: 18, shardCount: 125 });
  });

  it.each([
    [{ stage: 'Prod' }, 'stage: must be 1 to 16 lower-case letters'],
    [{ shape: 'huge' }, 'shape: '],
    [{ shardCount: 0 }, 'shardCount: '],
    [{ shardCount: 5_001 }, 'shardCount: '],
    [{ shards: 3 }, 'shards: there is no such setting'],
    [{ workers: 'many' }, 'workers: '],
    [{ workerMemoryMib: 9_000 }, 'workerMemoryMib: must go with workerCpu'],
    [{ workerCpu: 1_000 }, 'workerMemoryMib: must go with workerCpu'],
    [{ logRetentionDays: 31 }, 'logRetentionDays: must be a number of days that CloudWatch Logs knows'],
    [{ alarmEmail: 'nobody' }, 'alarmEmail: '],
    [{ spotPercent: 100 }, 'spotPercent: '],
    [{ accountConcurrency: 9 }, 'accountConcurrency: '],
    [{ generation: 0 }, 'generation: '],
    [{ zoneNames: 'us-east-1a' }, 'zoneNames: must name as many zones as the setting zones says'],
    [{ zoneNames: 'a,b' }, 'zoneNames: must be names of availability zones'],
    [{ vpcId: 'vpc-12345678' }, 'subnetIds: must be given together with vpcId'],
    [
      { vpcId: 'vpc-12345678', subnetIds: 'subnet-12345678,subnet-87654321' },
      'zoneNames: must name the zone of each of subnetIds',
    ],
    [{ pageTopicArn: 'arn:aws:sns:us-east-1:111122223333:page' }, 'ticketTopicArn: must be given together'],
    [{ dataKeyArn: 'alias/key' }, 'dataKeyArn: must be the ARN of a key'],
    [{ logKeyArn: 'alias/key' }, 'logKeyArn: must be the ARN of a key'],
    [{ permissionsBoundaryArn: 'boundary' }, 'permissionsBoundaryArn: must be the ARN of a managed policy'],
    [{ tracePercent: 101 }, 'tracePercent: '],
    [{ functionDeploys: 'slow' }, 'functionDeploys: '],
    [
      {
        webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/a/b',
        domainName: 'api.example.com',
        certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/one',
      },
      'certificateArn: must be of us-east-1 with webAclArn',
    ],
    [{ workersMost: 1 }, 'workersMost: must be at least workers'],
    [{ workerConnections: 0 }, 'workerConnections: '],
    [{ dashboards: 'none' }, 'dashboards: '],
    [{ burnAlarms: 'some' }, 'burnAlarms: '],
    [{ backupDays: 0 }, 'backupDays: '],
    // No copy is kept for longer than the receipt of a deleted tenant says.
    [{ backupDays: BACKUP_DAYS + 1 }, 'backupDays: '],
    [{ backupCopyVaultArn: 'vault' }, 'backupCopyVaultArn: must be the ARN of a backup vault'],
    [{ domainName: 'api.example.com' }, 'certificateArn: must be given together with domainName'],
    [{ domainName: 'https://api.example.com' }, 'domainName: must be the name of a host'],
    [{ certificateArn: 'arn:aws:iam::1:certificate' }, 'certificateArn: must be the ARN of a certificate'],
    [
      { webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/a/b' },
      'webAclArn: must be the ARN of a web ACL',
    ],
    [{ canaryKeyParameter: '/a' }, 'canaryConnectionId: must be given together with canaryKeyParameter'],
    [{ canaryConnectionId: 'con_a' }, 'canaryConnectionId: must be given together with canaryKeyParameter'],
    [{ canaryKeyParameter: 'hf_secret', canaryConnectionId: 'con_a' }, 'canaryKeyParameter: must be the name'],
  ])('refuses %j and names the setting', (values, words) => {
    expect(() => parseSettings(values)).toThrow(words);
  });

  it('names every wrong setting at once, with what it received', () => {
    expect(() => parseSettings({ stage: 'Prod', zones: 9 })).toThrow(/stage: .*"Prod"[^]*zones: .*9/);
  });
});

describe('the concurrency of an account', () => {
  it('is reserved where all shares fit beside the 100 that AWS keeps back, and otherwise not at all', () => {
    const needed = quotaForReservations(parseSettings({}));

    expect(needed).toBe(156);
    expect(reservesConcurrency(parseSettings({ accountConcurrency: needed }))).toBe(true);
    expect(reservesConcurrency(parseSettings({ accountConcurrency: needed - 1 }))).toBe(false);
    expect(reservesConcurrency(parseSettings({ apiConcurrency: 900 }))).toBe(false);
  });

  it('leaves room for requests beside the queues where nothing is reserved', () => {
    const small = parseSettings({ accountConcurrency: 10 });

    expect([batchesAtOnce(small, 'ingest'), batchesAtOnce(small, 'deliver')]).toEqual([2, 4]);
    expect(batchesAtOnce(parseSettings({ accountConcurrency: 40 }), 'deliver')).toBe(10);
    expect(batchesAtOnce(parseSettings({}), 'deliver')).toBe(10);
  });

  it.each([
    { atOnce: 4, shares: [2, 2] },
    { atOnce: 10, shares: [8, 2] },
    { atOnce: 100, shares: [80, 20] },
  ])(
    'gives endpoints that take their time a fifth of $atOnce batches of deliveries, and two at least',
    ({ atOnce, shares }) => {
      expect(sharesOfQueues('deliver', atOnce, 2)).toEqual(shares);
    },
  );

  it('gives each queue of events the two that AWS asks for, whatever the account has', () => {
    const settings = parseSettings({ accountConcurrency: 10, eventQueues: 4, ingestConcurrency: 8 });

    expect(batchesAtOnce(settings, 'ingest')).toBe(8);
  });
});

/** A process that loads CDK takes seconds, and more while other tests run. */
const PROCESS_MS = 120_000;

describe('a synthesis', { timeout: PROCESS_MS }, () => {
  const run = promisify(execFile);
  const app = join(import.meta.dirname, '../../../infra/app.ts');
  const synthesize = (context: Readonly<Record<string, unknown>>) =>
    run(process.execPath, [app], { env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context) } });

  const wrong: readonly (readonly [what: string, Readonly<Record<string, unknown>>, sentence: string])[] = [
    ['a stage that cannot be one', { stage: 'Prod!' }, 'stage: must be 1 to 16 lower-case letters, digits and dashes'],
    [
      'fewer shards than there are',
      { stage: 'prod', shardCount: 8, stages: { prod: { shardCount: 16 } } },
      'shardCount: stage prod has 16 shards, and shards are only ever added (received 8)',
    ],
    ['a timing that is none', { logRetentionDays: 0 }, 'logRetentionDays: '],
    [
      'half of a secret',
      { canaryConnectionId: 'con_a' },
      'canaryConnectionId: must be given together with canaryKeyParameter (received "con_a")',
    ],
    ['a name that nobody knows', { shardcount: 8 }, 'shardcount: there is no such setting'],
  ];
  it.each(played(wrong, 3))(
    'ends with a sentence that names the setting, and no stack trace, with %s',
    async (_, context, sentence) => {
      const ended = synthesize(context);

      await expect(ended).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) });
      await expect(ended).rejects.toMatchObject({ stderr: expect.not.stringMatching(/\n\s+at /) });
    },
  );
});

describe('settings in the context', () => {
  it('takes what is kept for the stage, and what is given on the command line before it', () => {
    const stages = { prod: { shape: '10k', workers: 15 } };

    const settings = settingsOf({ stage: 'prod', workers: '18', stages, '@aws-cdk/core:someFlag': true });

    expect(settings).toMatchObject({ stage: 'prod', shape: '10k', workers: 18, shardCount: 125 });
  });

  it('refuses fewer shards than are kept for the stage', () => {
    const stages = { prod: { shape: '10k', shardCount: 125 } };

    expect(() => settingsOf({ stage: 'prod', shardCount: '16', stages })).toThrow(
      'shardCount: stage prod has 125 shards, and shards are only ever added (received 16)',
    );
    expect(settingsOf({ stage: 'prod', shardCount: '126', stages }).shardCount).toBe(126);
  });

  it('refuses a name that nobody knows, as a typing error would be a default otherwise', () => {
    expect(() => settingsOf({ shapes: '10k' })).toThrow('shapes: there is no such setting');
  });
});
