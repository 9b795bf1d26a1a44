import type { Strike } from '../whatsapp/faults.ts';
import { SCALE, type Outcome, type Trial } from './matrixTrial.ts';

/** One close and what must become of the connection. */
export interface Row extends Trial {
  /** In milliseconds with the default settings. */
  readonly delays: readonly number[];
  readonly expected: Omit<Outcome, 'delaysMs' | 'awayMs'>;
}
/** @see swift */
export type SwiftRow = Omit<Row, 'delays'> & { readonly mayBeTold: readonly string[] };

const streamError = (code?: number, child?: string, type?: string): Strike => ({
  kind: 'stream_error',
  ...(code === undefined ? {} : { code }),
  ...(child === undefined ? {} : { child }),
  ...(type === undefined ? {} : { type }),
});
const failure = (reason: number, expireSeconds?: number): Strike => ({
  kind: 'failure',
  reason,
  ...(expireSeconds === undefined ? {} : { expireSeconds }),
});
const replaced = streamError(undefined, 'conflict', 'replaced');

/** The socket comes back by itself. */
const back = (name: string, strike: Strike, code: string, closeCode: number | undefined, delayMs: number): Row => ({
  name,
  ownership: 'owner',
  phase: 'linked',
  strikes: [strike],
  delays: [delayMs],
  expected: {
    opens: 1,
    credentials: 'kept',
    status: 'online/open',
    history: [`reconnecting/${code}${closeCode === undefined ? '' : ` ${closeCode}`}`, 'online/open'],
    events: [`reconnecting/${code}`, 'online/open'],
  },
});
/** It does not. */
const over = (name: string, strike: Strike, status: string, closeCode: number, credentials: 'kept' | 'none'): Row => ({
  name,
  ownership: 'owner',
  phase: 'linked',
  strikes: [strike],
  delays: [],
  expected: { opens: 0, credentials, status, history: [`${status} ${closeCode}`], events: [status] },
});
/** Another worker owns the connection: nothing is opened, written or told. */
const silent = (name: string, ownership: 'other' | 'taken', strike: Strike): Row => ({
  name: `${name}, not the owner`,
  ownership,
  phase: 'linked',
  strikes: [strike],
  delays: [],
  expected: {
    opens: 0,
    credentials: 'kept',
    status: ownership === 'taken' ? 'connecting/opening' : 'online/open',
    history: [],
    events: [],
  },
});
/** A pairing goes on with a new offer. */
const offeredAgain = (name: string, strike: Strike, code: string, closeCode: number, delayMs: number): Row => ({
  ...back(`${name}, pairing`, strike, code, closeCode, delayMs),
  phase: 'pairing',
  expected: {
    opens: 1,
    credentials: 'none',
    status: 'awaiting_pairing/offer_out',
    history: [`reconnecting/${code} ${closeCode}`, 'awaiting_pairing/offer_out'],
    events: [`reconnecting/${code}`, 'awaiting_pairing/offer_out'],
  },
});
const offerOver = (name: string, strike: Strike, status: string, closeCode: number): Row => ({
  ...over(`${name}, pairing`, strike, status, closeCode, 'none'),
  phase: 'pairing',
});

/** WhatsApp counts in seconds, so this one is not shrunk. Shorter than the rest that the matrix waits for. */
const BAN_SECONDS = 2;

export const rows: readonly Row[] = [
  over('401 at login', failure(401), 'unpaired/logged_out', 401, 'none'),
  over('401 device removed', streamError(401, 'conflict', 'device_removed'), 'unpaired/logged_out', 401, 'none'),
  over(
    'removed without code',
    streamError(undefined, 'conflict', 'device_removed'),
    'unpaired/logged_out',
    440,
    'none',
  ),
  over('402', failure(402), 'restricted/temporarily_banned', 402, 'kept'),
  {
    ...back('402 that ends', failure(402, BAN_SECONDS), 'temporarily_banned', 402, (BAN_SECONDS * 1_000) / SCALE),
    expected: {
      opens: 1,
      credentials: 'kept',
      status: 'online/open',
      history: ['restricted/temporarily_banned 402', 'online/open'],
      events: ['restricted/temporarily_banned', 'online/open'],
    },
  },
  over('403', failure(403), 'unpaired/device_removed', 403, 'none'),
  // The fleet's breaker is left out, as clientVersions.test.ts covers it: one refusal is no verdict.
  back('405', failure(405), 'client_outdated', 405, 8_000),
  over('406', failure(406), 'restricted/banned', 406, 'none'),
  back('408, silence', { kind: 'go_silent' }, 'network_lost', 408, 15_000),
  over('409', failure(409), 'failed/client_refused', 409, 'kept'),
  over('411', failure(411), 'failed/multi_device_mismatch', 411, 'kept'),
  back('428, closed', { kind: 'close' }, 'network_lost', 428, 15_000),
  back('428, end of stream', { kind: 'stream_end' }, 'network_lost', 428, 15_000),
  back('440', replaced, 'replaced', 440, 30_000),
  {
    ...back('440 without end', replaced, 'replaced', 440, 30_000),
    strikes: [replaced, replaced, replaced, replaced],
    delays: [30_000, 60_000, 120_000],
    expected: {
      opens: 3,
      credentials: 'kept',
      status: 'failed/conflict',
      history: [
        ...Array.from({ length: 3 }, () => ['reconnecting/replaced 440', 'online/open']).flat(),
        'failed/conflict 440',
      ],
      events: [...Array.from({ length: 3 }, () => ['reconnecting/replaced', 'online/open']).flat(), 'failed/conflict'],
    },
  },
  back('463', failure(463), 'unknown', 463, 8_000),
  back('500', streamError(500), 'server_unavailable', 500, 8_000),
  back('500, failure', failure(500), 'server_unavailable', 500, 8_000),
  back('not well-formed', streamError(undefined, 'xml-not-well-formed'), 'stream_fault', 500, 8_000),
  back('missing ack', streamError(undefined, 'ack'), 'stream_fault', 500, 8_000),
  back('stream error with nothing in it', streamError(), 'unknown', undefined, 8_000),
  back('503', streamError(503), 'server_unavailable', 503, 8_000),
  {
    ...back('503, and again at login', streamError(503), 'server_unavailable', 503, 8_000),
    refusals: [503],
    expected: { ...back('', streamError(503), 'server_unavailable', 503, 0).expected, opens: 2 },
  },
  {
    ...over('428, and 401 at login', { kind: 'close' }, 'unpaired/logged_out', 401, 'none'),
    refusals: [401],
    delays: [15_000],
    expected: {
      opens: 1,
      credentials: 'none',
      status: 'unpaired/logged_out',
      history: ['reconnecting/network_lost 428', 'unpaired/logged_out 401'],
      events: ['reconnecting/network_lost', 'unpaired/logged_out'],
    },
  },
  silent('440', 'other', replaced),
  silent('440, taken', 'taken', replaced),
  silent('401', 'taken', failure(401)),
  silent('403', 'taken', failure(403)),
  silent('405', 'taken', failure(405)),
  silent('428', 'taken', { kind: 'close' }),
  silent('503', 'taken', streamError(503)),
  silent('515', 'taken', streamError(515)),
  offerOver('401', failure(401), 'unpaired/pairing_refused', 401),
  offerOver('402', failure(402), 'unpaired/pairing_refused', 402),
  offerOver('403', failure(403), 'unpaired/pairing_refused', 403),
  offerOver('406', failure(406), 'unpaired/pairing_refused', 406),
  offerOver('408', failure(408), 'unpaired/offer_expired', 408),
  offerOver('409', failure(409), 'failed/client_refused', 409),
  offerOver('411', failure(411), 'failed/multi_device_mismatch', 411),
  offeredAgain('405', failure(405), 'client_outdated', 405, 8_000),
  offeredAgain('428', { kind: 'close' }, 'network_lost', 428, 15_000),
  offeredAgain('440', replaced, 'unknown', 440, 8_000),
  offeredAgain('500', streamError(500), 'server_unavailable', 500, 8_000),
  offeredAgain('503', streamError(503), 'server_unavailable', 503, 8_000),
  {
    ...offerOver('503, not the owner', streamError(503), 'connecting/opening', 503),
    ownership: 'taken',
    expected: { ...silent('', 'taken', replaced).expected, credentials: 'none' },
  },
];

/** Where a short status may or may not be told, because what follows comes at once. */
export const swift: readonly SwiftRow[] = [
  {
    name: '515',
    ownership: 'owner',
    phase: 'linked',
    strikes: [streamError(515)],
    mayBeTold: ['reconnecting/restart_required'],
    expected: {
      opens: 1,
      credentials: 'kept',
      status: 'online/open',
      history: ['reconnecting/restart_required 515', 'online/open'],
      events: ['online/open'],
    },
  },
  {
    name: '515, and 401 once',
    ownership: 'owner',
    phase: 'linked',
    strikes: [streamError(515)],
    refusals: [401],
    mayBeTold: ['reconnecting/restart_required', 'reconnecting/unknown'],
    expected: {
      opens: 2,
      credentials: 'kept',
      status: 'online/open',
      history: ['reconnecting/restart_required 515', 'reconnecting/unknown 401', 'online/open'],
      events: ['online/open'],
    },
  },
  {
    name: '515, and 401 twice',
    ownership: 'owner',
    phase: 'linked',
    strikes: [streamError(515)],
    refusals: [401, 401],
    mayBeTold: ['reconnecting/restart_required', 'reconnecting/unknown'],
    expected: {
      opens: 2,
      credentials: 'none',
      status: 'unpaired/logged_out',
      history: ['reconnecting/restart_required 515', 'reconnecting/unknown 401', 'unpaired/logged_out 401'],
      events: ['unpaired/logged_out'],
    },
  },
  {
    name: '515, pairing',
    ownership: 'owner',
    phase: 'pairing',
    strikes: [streamError(515)],
    mayBeTold: ['reconnecting/restart_required'],
    expected: {
      opens: 1,
      credentials: 'none',
      status: 'awaiting_pairing/offer_out',
      history: ['reconnecting/restart_required 515', 'awaiting_pairing/offer_out'],
      events: ['awaiting_pairing/offer_out'],
    },
  },
  {
    name: 'a pairing code that is refused',
    ownership: 'owner',
    phase: 'pairing_by_code',
    strikes: [],
    mayBeTold: ['connecting/opening'],
    expected: {
      opens: 1,
      credentials: 'none',
      status: 'unpaired/code_refused',
      history: ['connecting/opening', 'unpaired/code_refused 400'],
      events: ['unpaired/code_refused'],
    },
  },
];
