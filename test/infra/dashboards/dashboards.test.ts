import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dashboardDefinitions } from '../../../infra/dashboards/definitions.ts';
import { metricCatalogue } from '../../../shared/platform/metricCatalogue.ts';
import { ofType, synthesizeStage } from '../synthesizeStage.ts';

const definitions = dashboardDefinitions('prod');
const widgets = definitions.flatMap((dashboard) => dashboard.widgets);
const folder = join(import.meta.dirname, '../../../infra/dashboards');

interface Body {
  readonly widgets: readonly { readonly type: string; readonly properties: { readonly title?: string } }[];
}

describe('the definitions of dashboards', () => {
  it('know nothing of CDK, so that the local page can draw them, too', () => {
    const sources = readdirSync(folder)
      .filter((file) => file !== 'placeDashboards.ts')
      .map((file) => readFileSync(join(folder, file), 'utf8'));

    expect(sources.length).toBeGreaterThan(3);
    expect(sources.filter((source) => /from '(aws-cdk|constructs)/.test(source))).toEqual([]);
  });

  it('have names, questions and labels that tell them apart', () => {
    const names = definitions.map(({ name }) => name);
    const doubled = widgets.filter(({ metrics }) => new Set(metrics.map(({ label }) => label)).size < metrics.length);

    expect(new Set(names).size).toBe(names.length);
    expect(doubled).toEqual([]);
    for (const dashboard of definitions) {
      const titles = dashboard.widgets.map(({ title }) => title);
      expect(new Set(titles).size).toBe(titles.length);
    }
  });

  it('show on the first what is asked first: objectives, connections, owners, opens, messages, events, files, stores, cost', () => {
    const sections = new Set(definitions.find(({ name }) => name === 'ops')?.widgets.map(({ section }) => section));

    expect([...sections]).toEqual([
      'Objectives',
      'Connections',
      'Who owns what',
      'Opens and their budget',
      'Messages',
      'Events and webhooks',
      'Files of messages',
      'Files that are sent',
      'Queues',
      'Stores',
      'Capacity',
      'What costs money',
      'Canary',
    ]);
  });

  it('make a share of lines that are there', () => {
    const missing = widgets.flatMap(({ metrics, share }) =>
      [...(share?.of ?? []), ...(share?.among ?? [])].filter((label) => !metrics.some((one) => one.label === label)),
    );

    expect(widgets.filter(({ share }) => share !== undefined).length).toBeGreaterThan(2);
    expect(missing).toEqual([]);
  });

  it('show every metric of the catalogue with a line for each of its values', () => {
    const shown = new Set(
      widgets
        .flatMap(({ metrics }) => metrics)
        .map(({ name, dimensions = {} }) => [name, ...Object.values(dimensions)].join(' ')),
    );
    const wanted = Object.entries(metricCatalogue).flatMap(([name, { dimensions }]) => {
      const values = Object.values(dimensions as Readonly<Record<string, readonly string[]>>).flat();
      return values.length === 0 ? [`${name} prod`] : values.map((value) => `${name} prod ${value}`);
    });

    expect(wanted.filter((one) => !shown.has(one))).toEqual([]);
  });
});

describe('dashboards in a stage', () => {
  const made = (settings: Readonly<Record<string, unknown>>) =>
    new Map(
      ofType(synthesizeStage(settings), 'AWS::CloudWatch::Dashboard').map(({ properties }) => [
        String(properties['DashboardName']),
        (JSON.parse(String(properties['DashboardBody'])) as Body).widgets,
      ]),
    );

  it('are the first one alone in the small shape, as each is billed, and one for each concern in the large ones', () => {
    const small = [...made({}).keys()];
    const large = [...made({ shape: '10k' }).keys()];

    expect(small).toEqual(['test-holdfast']);
    expect(large).toEqual(definitions.map(({ name }) => (name === 'ops' ? 'test-holdfast' : `test-holdfast-${name}`)));
  });

  it('show every question of their definition', () => {
    const titles = (made({}).get('test-holdfast') ?? []).flatMap(({ properties }) => properties.title ?? []);

    expect(titles).toEqual(dashboardDefinitions('test')[0]?.widgets.map(({ title }) => title));
  });
});
