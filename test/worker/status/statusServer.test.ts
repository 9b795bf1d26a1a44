import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metricCatalogue } from '../../../shared/platform/metricCatalogue.ts';
import { makePrometheusMetrics, toBoth, type PrometheusMetrics } from '../../../shared/platform/prometheus.ts';
import { startStatusServer, type StatusServer } from '../../../worker/status/statusServer.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';

describe('what a worker says of itself', () => {
  let metrics: PrometheusMetrics;
  let server: StatusServer;
  let reason: string | undefined;
  beforeEach(async () => {
    metrics = makePrometheusMetrics('test');
    reason = undefined;
    server = await startStatusServer(
      { host: '127.0.0.1', port: 0 },
      { notReadyBecause: () => reason, breakers: () => ({ dynamodb: 'open' }), metrics },
    );
  });
  afterEach(() => server.stop());
  const get = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
  };

  it('is alive, and ready unless there is a reason not to be', async () => {
    const ready = await get('/health/ready');
    reason = 'it drains';
    const draining = await get('/health/ready');
    const alive = await get('/health');

    expect([ready.status, draining.status, alive.status]).toEqual([200, 503, 200]);
    expect(JSON.parse(draining.text)).toEqual({
      status: 'not_ready',
      reason: 'it drains',
      breakers: { dynamodb: 'open' },
    });
  });

  it('gives its metrics for a scrape: counts that add up, the last value of gauges, distributions, the process', async () => {
    metrics.count('ClaimsWon', {});
    metrics.count('ClaimsWon', {}, 2);
    metrics.count('WorkersDead', { proof: 'observed' });
    metrics.gauge('ShardsOwned', 3, {});
    metrics.gauge('ShardsOwned', 5, {});
    metrics.measure('HeartbeatLatency', 7, {});

    const { text, type } = await get('/metrics');

    expect(type).toContain('text/plain');
    expect(text).toContain('holdfast_claims_won_total{stage="test"} 3');
    expect(text).toContain('holdfast_workers_dead_total{proof="observed",stage="test"} 1');
    expect(text).toContain('holdfast_shards_owned{stage="test"} 5');
    expect(text).toContain('holdfast_heartbeat_latency_ms_bucket{le="10",stage="test"} 1');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('has a line of help for every metric of the catalogue', async () => {
    const { text } = await get('/metrics');

    const questions = Object.values(metricCatalogue).map(({ question }) => question);
    expect(questions.filter((question) => !text.includes(question))).toEqual([]);
  });

  it('never fails because of a value that is no number, or less than nothing', async () => {
    metrics.count('ClaimsWon', {}, Number.NaN);
    metrics.count('ClaimsWon', {}, -1);
    metrics.measure('HeartbeatLatency', Infinity, {});
    metrics.gauge('ShardsOwned', Number.NaN, {});

    expect((await get('/metrics')).text).not.toContain('NaN');
  });

  it('tells both of what happened', () => {
    const [one, two] = [keepingMetrics(), keepingMetrics()];
    toBoth(one, two).count('ClaimsWon', {}, 4);

    expect([one.totalOf('ClaimsWon'), two.totalOf('ClaimsWon')]).toEqual([4, 4]);
  });

  it('says what there is instead of what there is not', async () => {
    const { status, text } = await get('/health/detailed');

    expect([status, JSON.parse(text)]).toEqual([404, { error: 'There are /health, /health/ready and /metrics.' }]);
  });
});
