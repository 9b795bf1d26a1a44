import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { makeId, timeOfId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { judgeConnection, LATE_AFTER_MS, oldestWaiting } from '../../../shared/message/waiting.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const account = { phoneJid: '4915100000001@s.whatsapp.net', lid: undefined, name: undefined };
const aConnection = (overrides: Partial<Connection>): Connection => ({
  tenantId: makeId('tnt', NOW_MS, systemRandom),
  connectionId: makeId('con', NOW_MS, systemRandom),
  label: 'Shop',
  shard: 0,
  wanted: 'online',
  pairing: undefined,
  account,
  status: 'online',
  statusCode: 'open',
  statusSinceMs: NOW_MS,
  createdAtMs: NOW_MS,
  parkedCount: 0,
  ...overrides,
});
const restricted = { because: 'restricted', sinceMs: NOW_MS, untilMs: NOW_MS + 1_000, refusals: 1 } as const;
const ago = (ms: number): number => NOW_MS - ms;

describe('how a connection does its work', () => {
  it.each([
    ['online, nothing waits', {}, undefined, 'good', 'Connected to WhatsApp.'],
    ['online, one waits a moment', { parkedCount: 1 }, ago(5_000), 'look', '1 accepted message waits, for up to 5 s.'],
    [
      'online for long, many wait',
      { parkedCount: 1_001, statusSinceMs: ago(3_600_000) },
      ago(LATE_AFTER_MS + 240_000),
      'bad',
      'Sends are stalled. 1001 accepted messages wait, for up to 5 min.',
    ],
    [
      'online since four minutes, what came meanwhile is leaving',
      { parkedCount: 700, statusSinceMs: ago(240_000) },
      ago(LATE_AFTER_MS + 240_000),
      'look',
      'A backlog leaves at the pace of the connection. 700 accepted messages wait, for up to 5 min.',
    ],
    [
      'the same where no budget holds it back',
      { parkedCount: 700, statusSinceMs: ago(240_000), settings: { pace: { budgets: 'off' } } },
      ago(LATE_AFTER_MS + 240_000),
      'bad',
      /^Sends are stalled/,
    ],
    [
      'WhatsApp restricts it, nothing waits',
      { pace: { account: 'a', linkedAtMs: 0, hours: {}, brakes: { firstContacts: restricted } } },
      undefined,
      'look',
      /^WhatsApp refused a message to a new contact/,
    ],
    [
      'its budget of first contacts is used up, nothing waits',
      { pace: { account: 'a', linkedAtMs: NOW_MS, hours: { [Math.floor(NOW_MS / 3_600_000)]: 20 }, brakes: {} } },
      undefined,
      'good',
      'Connected to WhatsApp.',
    ],
    [
      'online, sends paused, nothing waits',
      { sendsPausedUntilMs: NOW_MS + 30_000 },
      undefined,
      'bad',
      /^WhatsApp did not answer five sends in a row/,
    ],
    ['online, a pause that is over', { sendsPausedUntilMs: NOW_MS - 1 }, undefined, 'good', 'Connected to WhatsApp.'],
    [
      'never paired',
      { account: undefined, status: 'unpaired', statusCode: 'never_paired' },
      undefined,
      'good',
      'No WhatsApp account has been linked yet.',
    ],
    [
      'an offer is out',
      { account: undefined, status: 'awaiting_pairing', statusCode: 'offer_out' },
      undefined,
      'good',
      /^A pairing offer is out/,
    ],
    ['logged out', { status: 'unpaired', statusCode: 'logged_out' }, undefined, 'look', /removed this linked device/],
    ['banned', { status: 'failed', statusCode: 'banned' }, undefined, 'look', 'WhatsApp has banned this account.'],
    [
      'offline, messages wait for hours',
      { status: 'reconnecting', statusCode: 'network_lost', parkedCount: 2 },
      ago(10_800_000),
      'look',
      /it is being opened again\. 2 accepted messages wait, for up to 3 h\.$/,
    ],
  ] as const)('%s', (_what, overrides, oldestAtMs, attention, sentence) => {
    const oldest = oldestAtMs === undefined ? undefined : { sinceMs: oldestAtMs };
    const health = judgeConnection(aConnection(overrides), oldest, NOW_MS);

    expect(health.attention).toBe(attention);
    expect(health.sentence).toMatch(sentence);
  });

  it.each([
    ['first_contact', 'look'],
    ['chat_budget', 'look'],
    ['budget', 'look'],
    ['look_up', 'bad'],
    ['no_answer', 'bad'],
    ['nothing_leaves', 'bad'],
    [undefined, 'bad'],
  ] as const)('a message that was parked for %s and waits for hours is judged %s', (reason, attention) => {
    const connection = aConnection({ parkedCount: 3, statusSinceMs: ago(7_200_000) });

    expect(judgeConnection(connection, { sinceMs: ago(7_200_000), reason }, NOW_MS).attention).toBe(attention);
  });

  it('shows a pause with its sentence and its end, and only while it lasts', () => {
    const untilMs = NOW_MS + 1_000;
    const connection = aConnection({ sendsPausedUntilMs: untilMs });

    expect(judgeConnection(connection, undefined, NOW_MS).sendsPaused).toMatchObject({ untilMs });
    expect(judgeConnection(connection, undefined, untilMs).sendsPaused).toBeUndefined();
  });
});

describe('the oldest message that waits', () => {
  it('is read only where the record says that one does, as one row', async () => {
    const asked: number[] = [];
    const messageId = makeId('msg', ago(5_000), systemRandom);
    const messages = {
      listParked: async (_connectionId: unknown, limit: number) => {
        asked.push(limit);
        return [{ messageId, sequenceNumber: '1', to: undefined, reason: 'budget' as const }];
      },
    };

    const none = await oldestWaiting(messages, aConnection({ parkedCount: 0 }));
    const some = await oldestWaiting(messages, aConnection({ parkedCount: 9 }));

    expect([none, some, asked]).toEqual([undefined, { sinceMs: ago(5_000), reason: 'budget' }, [1]]);
  });

  it('is as old as its id', () => {
    expect(timeOfId(makeId('msg', NOW_MS, systemRandom))).toBe(NOW_MS);
  });
});
