import { describe, expect, it } from 'vitest';
import { OpenMeter } from '../../../worker/runner/openMeter.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';

const closed = (statusCode: number | undefined) =>
  ({ type: 'socket_closed', generation: 1, close: { statusCode, node: undefined } }) as const;

describe('the meter of opens', () => {
  it.each([
    [515, 'restart'],
    [408, 'network'],
    [428, 'network'],
    [503, 'server'],
    [440, 'replaced'],
    [401, 'account'],
    [406, 'account'],
    [405, 'client'],
    [418, 'other'],
    [undefined, 'other'],
  ])('counts a close with %s under %s, whether the socket was open before or not', (statusCode, cause) => {
    const metrics = keepingMetrics();
    const meter = new OpenMeter(metrics, () => 0);
    const [opening, open] = [meter.follow(), meter.follow()];
    open({
      type: 'socket_opened',
      generation: 1,
      account: { phoneJid: '1@s.whatsapp.net', lid: undefined, name: undefined },
    });

    opening(closed(statusCode));
    open(closed(statusCode));

    expect(metrics.totalOf('SocketsClosed', { cause })).toBe(2);
    expect(metrics.totalOf('SocketsClosed')).toBe(2);
    expect(metrics.totalOf('OpenFailed')).toBe(1);
  });
});
