import { describe, expect, it } from 'vitest';
import { PAIRING_REQUEST_LIMIT_MS, type Connection } from '../../../shared/connection/connection.ts';
import type { PasskeyAnswer } from '../../../shared/connection/passkey.ts';
import type { ConnectionId, TenantId } from '../../../shared/kernel/id.ts';
import { decideControl, type RunnerView } from '../../../worker/runner/controlCommand.ts';
import { judgeOutcome, MAX_SEND_ATTEMPTS } from '../../../worker/sending/sendOutcomes.ts';
import { parseCommand } from '../../../worker/commands/commandHandler.ts';
import { anAccount } from '../sending/fakes.ts';

const NOW_MS = 1_000_000;
const pairing = { requestId: 'first', requestedAtMs: NOW_MS - 1_000, method: 'qr' } as const;
const passkey: PasskeyAnswer = {
  challenge: 'AAAA',
  assertion: {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
  },
};
const connection = (overrides: Partial<Connection> = {}): Connection => ({
  tenantId: 'tnt_1' as TenantId,
  connectionId: 'con_1' as ConnectionId,
  label: undefined,
  shard: 0,
  wanted: 'online',
  pairing: undefined,
  account: anAccount,
  status: 'online',
  statusCode: 'open',
  statusSinceMs: 0,
  createdAtMs: 0,
  parkedCount: 0,
  ...overrides,
});
const view = (runner: RunnerView['runner'] = 'absent', handledPairing?: string): RunnerView => ({
  runner,
  handledPairing,
  appliedChanges: 0,
});
const unpaired = { account: undefined, status: 'unpaired', statusCode: 'never_paired' } as const;

describe('what a record asks for', () => {
  it.each<[string, Connection | undefined, RunnerView, Parameters<typeof decideControl>[2], readonly unknown[]]>([
    ['lets go of a runner whose record is gone', undefined, view('running'), 'listing', [{ action: 'forget' }]],
    [
      'logs out before all else that is wanted',
      connection({ wanted: 'off', logout: { requestId: 'one' } }),
      view('running'),
      'listing',
      [{ action: 'log_out', requestId: 'one' }],
    ],
    [
      'gives the answer to a passkey to whoever pairs, each time',
      connection({ ...unpaired, pairing: { ...pairing, passkey } }),
      view('running', 'first'),
      'refresh',
      [{ action: 'answer_passkey', answer: passkey }],
    ],
    [
      'pairs first, where nobody does yet',
      connection({ ...unpaired, pairing: { ...pairing, passkey } }),
      view(),
      'listing',
      [{ action: 'pair', pairing: { ...pairing, passkey } }],
    ],
    ['removes what is deleted', connection({ wanted: 'deleted' }), view(), 'listing', [{ action: 'remove' }]],
    ['stops what is wanted off', connection({ wanted: 'off' }), view('running'), 'stop', [{ action: 'stop' }]],
    [
      'records off where no runner is',
      connection({ wanted: 'off', status: 'online' }),
      view(),
      'stop',
      [{ action: 'stop' }],
    ],
    ['does nothing about one that is off', connection({ wanted: 'off', status: 'off' }), view('off'), 'stop', []],
    [
      'starts a linked one at the claim',
      connection(),
      view(),
      'listing',
      [{ action: 'start', linked: true, code: 'never_paired' }],
    ],
    [
      'leaves a banned one alone until the ban ends, under its next owner too',
      connection({ status: 'restricted', statusCode: 'temporarily_banned', nextAttemptAtMs: NOW_MS + 1 }),
      view(),
      'listing',
      [],
    ],
    [
      'starts a banned one when the ban has ended',
      connection({ status: 'restricted', statusCode: 'temporarily_banned', nextAttemptAtMs: NOW_MS }),
      view(),
      'listing',
      [{ action: 'start', linked: true, code: 'never_paired' }],
    ],
    [
      'leaves one alone whose ban has no end that is known',
      connection({ status: 'restricted', statusCode: 'temporarily_banned' }),
      view(),
      'listing',
      [],
    ],
    ['leaves a running one alone', connection(), view('running'), 'listing', []],
    ['does not start again what is running', connection(), view('running'), 'start', []],
    ['restarts on request', connection(), view('running'), 'restart', [{ action: 'restart' }]],
    ['leaves one alone that gave up', connection(), view('gave_up'), 'listing', []],
    [
      'starts one again that gave up, on request',
      connection(),
      view('gave_up'),
      'restart',
      [{ action: 'start', linked: true, code: 'never_paired' }],
    ],
    [
      'leaves one alone that gave up under an earlier owner',
      connection({ status: 'failed', statusCode: 'conflict' }),
      view(),
      'listing',
      [],
    ],
    [
      'tries one whose slow retries went on under an earlier owner',
      connection({ status: 'failed', statusCode: 'too_many_attempts' }),
      view(),
      'listing',
      [{ action: 'start', linked: true, code: 'never_paired' }],
    ],
    ['pairs on request', connection({ ...unpaired, pairing }), view(), 'pair', [{ action: 'pair', pairing }]],
    [
      'makes up for a lost pairing command',
      connection({ ...unpaired, pairing }),
      view('running'),
      'listing',
      [{ action: 'pair', pairing }],
    ],
    ['does not pair twice', connection({ ...unpaired, pairing }), view('running', 'first'), 'pair', []],
    ['does not pair what is linked', connection({ pairing }), view('running'), 'pair', []],
    [
      'takes an old pairing request for void',
      connection({ ...unpaired, pairing: { ...pairing, requestedAtMs: NOW_MS - PAIRING_REQUEST_LIMIT_MS } }),
      view('running'),
      'pair',
      [],
    ],
    [
      'shows that an offer of an earlier owner is void',
      connection({
        account: undefined,
        status: 'awaiting_pairing',
        statusCode: 'offer_out',
        pairing: { ...pairing, requestedAtMs: 0 },
      }),
      view(),
      'listing',
      [{ action: 'start', linked: false, code: 'offer_expired' }],
    ],
    [
      'fails what is parked for an account that is gone',
      connection({ ...unpaired, parkedCount: 2 }),
      view('running'),
      'listing',
      [{ action: 'fail_messages' }],
    ],
  ])('%s', (_name, record, runner, trigger, actions) => {
    const nowMs = record?.pairing?.requestedAtMs === 0 ? PAIRING_REQUEST_LIMIT_MS : NOW_MS;

    expect(decideControl(record, runner, trigger, nowMs)).toEqual(actions);
  });
});

const FIRST = { attempts: 1, limitedForMs: 0 };

describe('what a try to send means', () => {
  it('is final for each answer, and bounded for none', () => {
    expect(judgeOutcome({ outcome: 'acknowledged', atMs: 5 }, FIRST)).toEqual({ verdict: 'sent', atMs: 5 });
    expect(judgeOutcome({ outcome: 'refused', code: 463 }, FIRST)).toMatchObject({
      error: { code: 'refused_restricted', whatsappCode: 463 },
    });
    expect(judgeOutcome({ outcome: 'refused', code: 475 }, FIRST)).toMatchObject({
      error: { code: 'refused_restricted', whatsappCode: 475 },
    });
    expect(judgeOutcome({ outcome: 'refused', code: 499 }, FIRST)).toMatchObject({
      error: { code: 'refused', whatsappCode: 499 },
    });
    expect(judgeOutcome({ outcome: 'no_account' }, FIRST)).toMatchObject({
      error: { code: 'recipient_has_no_account' },
    });
    expect(judgeOutcome({ outcome: 'unknown' }, { ...FIRST, attempts: MAX_SEND_ATTEMPTS - 1 })).toEqual({
      verdict: 'again',
    });
    expect(judgeOutcome({ outcome: 'unknown' }, { ...FIRST, attempts: MAX_SEND_ATTEMPTS })).toMatchObject({
      error: { code: 'too_many_attempts' },
    });
  });
});

describe('reading a command', () => {
  it('gives nothing for what is not one', () => {
    expect(parseCommand('{')).toBeUndefined();
    expect(parseCommand('{"version":2}')).toBeUndefined();
    expect(parseCommand('null')).toBeUndefined();
  });
});
