import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { makeId, timeOfId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { judgeConnection, LATE_AFTER_MS, oldestWaitingAtMs } from '../../../shared/message/waiting.ts';

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
const ago = (ms: number): number => NOW_MS - ms;

describe('how a connection does its work', () => {
  it.each([
    ['online, nothing waits', {}, undefined, 'good', 'Connected to WhatsApp.'],
    ['online, one waits a moment', { parkedCount: 1 }, ago(5_000), 'look', '1 accepted message waits, for up to 5 s.'],
    [
      'online, many wait',
      { parkedCount: 1_001 },
      ago(LATE_AFTER_MS + 240_000),
      'bad',
      'Sends are stalled. 1001 accepted messages wait, for up to 5 min.',
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
    const health = judgeConnection(aConnection(overrides), oldestAtMs, NOW_MS);

    expect(health.attention).toBe(attention);
    expect(health.sentence).toMatch(sentence);
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
        return [{ messageId, sequenceNumber: '1', to: undefined }];
      },
    };

    const none = await oldestWaitingAtMs(messages, aConnection({ parkedCount: 0 }));
    const some = await oldestWaitingAtMs(messages, aConnection({ parkedCount: 9 }));

    expect([none, some, asked]).toEqual([undefined, ago(5_000), [1]]);
  });

  it('is as old as its id', () => {
    expect(timeOfId(makeId('msg', NOW_MS, systemRandom))).toBe(NOW_MS);
  });
});
