import { describe, expect, it } from 'vitest';
import { SessionRenewals } from '../../../../worker/socket/signal/sessionRenewals.ts';
import { keepingMetrics } from '../../../shared/platform/keepingMetrics.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function aRecord(owner: string) {
  const time = { nowMs: 0 };
  const metrics = keepingMetrics();
  return { time, metrics, renewals: new SessionRenewals({ owner, monotonicMs: () => time.nowMs, metrics }) };
}

describe('renewals of Signal sessions', () => {
  it('are welcome for a minute after a request to repeat, for every device of who asked and nobody else', () => {
    const { time, renewals } = aRecord('con_1');
    renewals.welcome('900002:3@lid');

    const welcome = ['900002:0@lid', '900002@lid', '900003@lid'].map((jid) => renewals.isWelcome(jid));
    time.nowMs = MINUTE_MS + 1;

    expect(welcome).toEqual([true, true, false]);
    expect(renewals.isWelcome('900002@lid')).toBe(false);
  });

  it('are welcome for a thousand people at once at most: the newest', () => {
    const { renewals } = aRecord('con_1');

    for (let user = 0; user < 1_500; user += 1) renewals.welcome(`${user}@lid`);

    expect(['0@lid', '499@lid', '500@lid', '1499@lid'].map((jid) => renewals.isWelcome(jid))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('are welcome for a minute from the last request, whoever asked in between', () => {
    const { time, renewals } = aRecord('con_1');
    renewals.welcome('1@lid');
    renewals.welcome('2@lid');
    time.nowMs = MINUTE_MS / 2;
    renewals.welcome('1@lid');
    time.nowMs = MINUTE_MS + 1;
    renewals.welcome('3@lid');

    expect(['1@lid', '2@lid', '3@lid'].map((jid) => renewals.isWelcome(jid))).toEqual([true, false, true]);
  });

  it('are counted apart when the same session was renewed within a day, also by an earlier socket', () => {
    const first = aRecord('con_2');
    const second = aRecord('con_2');
    const other = aRecord('con_3');

    first.renewals.count('900002.0');
    second.time.nowMs = DAY_MS - 1;
    second.renewals.count('900002.0');
    second.renewals.count('900003.0');
    other.renewals.count('900002.0');
    first.time.nowMs = 2 * DAY_MS;
    first.renewals.count('900002.0');

    const counted = ({ metrics }: typeof first) => metrics.kept.map(({ dimensions }) => dimensions['sinceLast']);
    expect(counted(first)).toEqual(['over_a_day', 'over_a_day']);
    expect(counted(second)).toEqual(['under_a_day', 'over_a_day']);
    expect(counted(other)).toEqual(['over_a_day']);
  });
});
