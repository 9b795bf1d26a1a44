import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { objectiveNames } from '../../../infra/dashboards/objectives.ts';
import { alarmDescription } from '../../../infra/constructs/runbookAlarm.ts';
import { runbookHeadings } from '../../../infra/settings/runbookHeadings.ts';
import { shapeNames } from '../../../infra/settings/shapes.ts';
import { figuresOfShape } from '../../../ops/cost/deployedShape.ts';
import { metricCatalogue } from '../../../shared/platform/metricCatalogue.ts';
import { METRIC_NAMESPACE } from '../../../shared/platform/metrics.ts';
import { ofType, REGION, ACCOUNT, synthesizeStage, type Resource } from '../synthesizeStage.ts';

const root = join(import.meta.dirname, '../../..');
const runbook = readFileSync(join(root, 'infra/runbook.md'), 'utf8');
const sources = ['functions', 'shared', 'worker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('metricCatalogue.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);
/** Everything that can sound. */
const resources = synthesizeStage({
  alarmEmail: 'ops@example.com',
  burnAlarms: 'all',
  canaryKeyParameter: '/holdfast/test/canary',
  canaryConnectionId: 'con_canary',
  streamDomainName: 'streams.example.com',
  streamCertificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/one`,
});

interface AlarmProperties {
  readonly AlarmName?: string;
  readonly CompositeAlarmName?: string;
  readonly AlarmDescription: string;
  readonly AlarmActions?: readonly string[];
  readonly OKActions?: readonly string[];
  readonly Threshold?: number;
  readonly TreatMissingData?: string;
}
const simple = ofType(resources, 'AWS::CloudWatch::Alarm').map(({ properties }) => properties);
const alarms = [
  ...simple,
  ...ofType(resources, 'AWS::CloudWatch::CompositeAlarm').map(({ properties }) => ({
    ...properties,
    AlarmName: properties['AlarmName'],
  })),
] as unknown as readonly AlarmProperties[];
const headingOf = ({ AlarmDescription }: AlarmProperties): string => AlarmDescription.split(' Runbook: ').at(-1) ?? '';
const alarmNamed = (name: string): AlarmProperties | undefined =>
  alarms.find(({ AlarmName }) => AlarmName === `test-${name}`);

/** Sections of the runbook by their heading. */
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
);

describe('alarms', () => {
  it('say in a sentence what is so, and end with a heading of the runbook', () => {
    const wrong = alarms.filter(
      (alarm) => !/^[A-Z0-9].*\. Runbook: /.test(alarm.AlarmDescription) || !sections.has(headingOf(alarm)),
    );

    expect(alarms.length).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });

  it('tell a topic both that they sound and that it is over, except those that only hold another back', () => {
    const topics = ['page', 'ticket'].map((severity) => `arn:aws:sns:${REGION}:${ACCOUNT}:test-alarms-${severity}`);
    const silent = alarms.filter(({ AlarmActions = [] }) => AlarmActions.length === 0);

    const held = silent.map(({ AlarmName }) => String(AlarmName));
    expect(held.filter((name) => !/-burn-\w+-(long|short)$/.test(name))).toEqual([
      'test-commits-refused',
      'test-shards-claimed',
    ]);
    // Two for each of three windows of each objective.
    expect(held).toHaveLength(2 + 2 * 3 * objectiveNames.length);
    for (const { AlarmActions, OKActions } of alarms.filter((alarm) => !silent.includes(alarm))) {
      expect(AlarmActions).toHaveLength(1);
      expect(topics).toContain(AlarmActions?.[0]);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  it.each([
    ['worker-memory-ticket', 80, 'ticket'],
    ['worker-memory-page', 95, 'page'],
    ['api-errors-ticket', 5, 'ticket'],
    ['api-errors-page', 10, 'page'],
    ['api-slow-ticket', 3_000, 'ticket'],
    ['api-slow-page', 5_000, 'page'],
    ['api-failures-ticket', 10, 'ticket'],
    ['api-failures-page', 50, 'page'],
  ])('%s sounds from %i on, as a %s', (name, threshold, severity) => {
    const alarm = alarmNamed(name);

    expect(alarm?.Threshold).toBe(threshold);
    expect(alarm?.AlarmActions).toEqual([expect.stringMatching(new RegExp(`${severity}$`))]);
  });

  it.each(['commands', 'events', 'deliveries', 'media'])(
    'sound with the first dead letter of %s, and louder with a hundred',
    (holds) => {
      expect(alarmNamed(`${holds}-dead`)?.Threshold).toBe(1);
      expect(alarmNamed(`${holds}-dead-many`)?.Threshold).toBe(100);
    },
  );

  it.each(['no-leader', 'workers-missing', 'reconcile-silent', 'dispatch-silent', 'archive-silent', 'canary-failed'])(
    '%s sounds when nothing is heard at all',
    (name) => {
      expect(alarmNamed(name)?.TreatMissingData).toBe('breaching');
    },
  );

  it('are published by CloudWatch, which the topics allow, and over TLS alone', () => {
    const policies = ofType(resources, 'AWS::SNS::TopicPolicy').map(({ properties }) => properties['PolicyDocument']);

    expect(policies).toHaveLength(2);
    for (const policy of policies) {
      expect(policy).toMatchObject({
        Statement: expect.arrayContaining([
          expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          expect.objectContaining({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
          }),
        ]),
      });
    }
    expect(ofType(resources, 'AWS::SNS::Subscription').map(({ properties }) => properties['Endpoint'])).toEqual([
      'ops@example.com',
      'ops@example.com',
    ]);
  });
});

describe('the runbook', () => {
  it('has one section for each heading that an alarm can name, and each is named by one', () => {
    expect(new Set(alarms.map(headingOf))).toEqual(new Set(sections.keys()));
    expect([...sections.keys()]).toEqual(runbookHeadings);
  });

  it('lets no alarm name a section that is not there', () => {
    const text = { stage: 'test', severity: 'page', sentence: 'Something is so.' } as const;

    expect(() => alarmDescription({ ...text, heading: 'Nothing is here' })).toThrow('Nothing is here');
    expect(alarmDescription({ ...text, heading: 'Workers die' })).toBe('Something is so. Runbook: Workers die');
  });

  it.each([...sections])('%s has description, investigation and resolution, in this order', (_, text) => {
    expect(text).toMatch(/\*\*Description\.\*\* \S[^]*\*\*Investigation\.\*\* \S[^]*\*\*Resolution\.\*\* \S/);
  });

  it('quotes only log lines that our code writes', () => {
    const quoted = [...runbook.matchAll(/`([a-z]+(?: [a-z]+)+)`/g)].map(([, words]) => words ?? '');

    expect(quoted.length).toBeGreaterThan(5);
    expect(quoted.filter((words) => !sources.some((source) => source.includes(words)))).toEqual([]);
  });

  it('refers only to headings that are there', () => {
    const referred = [...runbook.matchAll(/(?<![\w*])_([A-Z][^_]+)_/g)].map(
      ([, heading]) => heading?.replace('\n', ' ') ?? '',
    );
    const known = new Set<string>([...runbookHeadings, 'Concurrent executions']);

    expect(referred.length).toBeGreaterThan(10);
    expect(referred.filter((heading) => !known.has(heading))).toEqual([]);
  });
});

describe('metrics that alarms and dashboard use', () => {
  interface UsedMetric {
    readonly name: string;
    readonly dimensions: Readonly<Record<string, string>>;
  }
  const ofAlarms: readonly UsedMetric[] = simple.flatMap((properties) => {
    const inner = (properties['Metrics'] ?? []) as readonly { readonly MetricStat?: { readonly Metric: unknown } }[];
    return [properties, ...inner.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [MetricStat.Metric]))]
      .map((metric) => metric as Readonly<Record<string, unknown>>)
      .filter((metric) => metric['Namespace'] === METRIC_NAMESPACE)
      .map((metric) => ({
        name: String(metric['MetricName']),
        dimensions: Object.fromEntries(
          (metric['Dimensions'] as readonly { readonly Name: string; readonly Value: string }[]).map(
            ({ Name, Value }) => [Name, Value],
          ),
        ),
      }));
  });
  const ofDashboards: readonly UsedMetric[] = ofType(
    synthesizeStage({ dashboards: 'all' }),
    'AWS::CloudWatch::Dashboard',
  )
    .flatMap(
      ({ properties }) =>
        (
          JSON.parse(String(properties['DashboardBody'])) as {
            readonly widgets: readonly {
              readonly properties: { readonly metrics?: readonly (readonly unknown[])[] };
            }[];
          }
        ).widgets,
    )
    .flatMap(({ properties }) => properties.metrics ?? [])
    .filter(([namespace]) => namespace === METRIC_NAMESPACE)
    .map(([, name, ...rest]) => ({
      name: String(name),
      dimensions: Object.fromEntries(
        Array.from({ length: Math.floor(rest.length / 2) }, (_, index) => [
          String(rest[index * 2]),
          String(rest[index * 2 + 1]),
        ]),
      ),
    }));

  it('are in the catalogue, under exactly the dimensions under which they are emitted', () => {
    const catalogue: Readonly<Record<string, { readonly dimensions: Readonly<Record<string, readonly string[]>> }>> =
      metricCatalogue;
    const wrong = [...ofAlarms, ...ofDashboards].filter(({ name, dimensions }) => {
      const { stage, ...rest } = dimensions;
      const known = catalogue[name]?.dimensions;
      if (known === undefined || stage !== 'test') return true;
      const names = Object.keys(known);
      return names.length !== Object.keys(rest).length || names.some((key) => !known[key]?.includes(rest[key] ?? ''));
    });

    expect(ofAlarms.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('are emitted by code', () => {
    const silent = [...ofAlarms, ...ofDashboards].filter(
      ({ name }) => !sources.some((source) => source.includes(`'${name}'`)),
    );

    expect(silent).toEqual([]);
  });

  it('are all on a dashboard', () => {
    expect(new Set(ofDashboards.map(({ name }) => name))).toEqual(new Set(Object.keys(metricCatalogue)));
  });
});

describe('what alarms cost', () => {
  /**
   * The number of billed metrics: each metric of an alarm, three for an anomaly band, five for one that is made of
   * others.
   */
  const billed = (given: readonly Resource[]): number =>
    ofType(given, 'AWS::CloudWatch::CompositeAlarm').length * 5 +
    ofType(given, 'AWS::CloudWatch::Alarm')
      .map(({ properties }) => {
        const parts = (properties['Metrics'] ?? []) as readonly {
          readonly Expression?: string;
          readonly MetricStat?: object;
        }[];
        if (parts.some(({ Expression }) => Expression?.startsWith('ANOMALY') === true)) return 3;
        return Math.max(1, parts.filter(({ MetricStat }) => MetricStat !== undefined).length);
      })
      .reduce((sum, one) => sum + one, 0);

  it.each(shapeNames)('is what the cost model takes for it, with a little room either way: %s', (shape) => {
    const stage = synthesizeStage({ shape });
    const { alarms: taken, dashboards } = figuresOfShape(shape);

    expect(Math.abs(billed(stage) - taken)).toBeLessThan(15);
    expect(ofType(stage, 'AWS::CloudWatch::Dashboard')).toHaveLength(dashboards);
  });

  it('is a part of what all of them cost, which the large shapes have', () => {
    expect(billed(synthesizeStage({ shape: '10k' }))).toBeGreaterThan(billed(synthesizeStage({})) * 1.5);
  });
});

describe('alarms on objectives', () => {
  interface Part {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Period: number; readonly Stat: string };
  }
  const burn = (name: string) => simple.find((properties) => properties['AlarmName'] === `test-${name}`);
  const partsOf = (name: string): readonly Part[] => (burn(name)?.['Metrics'] ?? []) as readonly Part[];

  it.each([
    ['messages-burn-fast', 14.4, 3_600, 300],
    ['messages-burn-steady', 6, 21_600, 1_800],
    ['messages-burn-slow', 3, 86_400, 7_200],
    ['connections-burn-fast', 1.44, 3_600, 300],
    ['api-burn-slow', 0.3, 86_400, 7_200],
  ])('%s sounds from %f %% bad ones on, in the long window and in the short one', (name, threshold, long, short) => {
    const [composite] = ofType(resources, 'AWS::CloudWatch::CompositeAlarm').filter(
      ({ properties }) => properties['AlarmName'] === `test-${name}`,
    );

    for (const [part, seconds] of [
      ['long', long],
      ['short', short],
    ] as const) {
      expect(burn(`${name}-${part}`)?.['Threshold']).toBe(threshold);
      const periods = partsOf(`${name}-${part}`).flatMap(({ MetricStat }) => MetricStat?.Period ?? []);
      expect(new Set(periods)).toEqual(new Set([seconds]));
    }
    expect(String(composite?.properties['AlarmRule'])).toMatch(/^\(ALARM\(.*\) AND ALARM\(.*\)\)$/);
  });

  it('take what is missing for none, and say nothing with too few', () => {
    const expression = partsOf('messages-burn-fast-long').find(
      ({ Expression }) => Expression !== undefined,
    )?.Expression;

    expect(expression).toBe(
      'IF((FILL(m_sent, 0) + FILL(m_failed, 0)) >= 20, 100 * (FILL(m_failed, 0)) / (FILL(m_sent, 0) + FILL(m_failed, 0)), 0)',
    );
  });

  it('count webhooks by their place in the distribution, and calls by what API Gateway saw', () => {
    const stats = (name: string) => partsOf(name).flatMap(({ MetricStat }) => MetricStat?.Stat ?? []);

    expect(stats('deliveries-burn-fast-long').sort()).toEqual(['PR(:10000)', 'SampleCount']);
    expect(stats('api-burn-fast-long').sort()).toEqual(['SampleCount', 'Sum']);
  });

  it('are the first window alone in the small shape', () => {
    const names = ofType(synthesizeStage({}), 'AWS::CloudWatch::Alarm')
      .map(({ properties }) => String(properties['AlarmName']))
      .filter((name) => name.includes('-burn-'));

    expect(names.sort()).toEqual(objectiveNames.map((name) => `test-${name}-burn-fast-long`).sort());
  });
});

describe('early warnings', () => {
  it.each(['accounts-logged-out', 'conflicts-unusual', 'retry-receipts-unusual', 'session-writes-unusual'])(
    '%s compares with what is usual, as no figure is right for every fleet',
    (name) => {
      const alarm = simple.find((properties) => properties['AlarmName'] === `test-${name}`);

      expect(alarm?.['ComparisonOperator']).toBe('GreaterThanUpperThreshold');
      expect(JSON.stringify(alarm?.['Metrics'])).toContain('ANOMALY_DETECTION_BAND');
    },
  );
});
