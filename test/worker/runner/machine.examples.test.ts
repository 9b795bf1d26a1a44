import { describe, expect, it } from 'vitest';
import type { SocketSymptom } from '../../../shared/connection/liveness.ts';
import { initialState, type Effect, type Input, type State } from '../../../worker/runner/machineTypes.ts';
import { anAccount, anOffer, aPairing, run, type Moment } from './scripts.ts';

const start: Input = { type: 'start', linked: true, code: 'never_paired' };
const opened = (generation: number): Input => ({ type: 'socket_opened', generation, account: anAccount });
const closed = (generation: number, statusCode: number | undefined, node?: string): Input => ({
  type: 'socket_closed',
  generation,
  close: { statusCode, node },
});
const pair: Input = { type: 'pair_requested', pairing: aPairing('first', 1_000) };
const offered = (generation: number): Input => ({ type: 'pairing_offered', generation, offer: anOffer });
const pairedIn = (generation: number): Input => ({ type: 'paired', generation, account: anAccount });

const confirmed = (generation: number, statusCode = 440, node = 'replaced'): Input => ({
  type: 'ownership_confirmed',
  generation,
  close: { statusCode, node },
});

const last = (moments: readonly Moment[]): Moment => {
  const moment = moments.at(-1);
  if (moment === undefined) throw new Error('the script is empty');
  return moment;
};
const online = (statusCode: number | undefined, node?: string): Moment =>
  last(run([{ input: start }, { input: opened(1) }, { input: closed(1, statusCode, node), afterMs: 40_000 }]));
const names = (effects: readonly Effect[]): readonly string[] => effects.map(({ type }) => type);
const status = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.type === 'record_status' ? [`${effect.status}/${effect.code}`] : []));
const delay = (effects: readonly Effect[]): number | undefined =>
  effects.flatMap((effect) => (effect.type === 'set_timer' ? [effect.delayMs] : [])).at(-1);
const describeState = (state: State): string => (state.name === 'stopped' ? `stopped/${state.reason}` : state.name);

describe('what the machine does when a socket closes', () => {
  it.each<[number | undefined, string | undefined, string, string, number | undefined]>([
    [408, undefined, 'backing_off', 'reconnecting/network_lost', 15_000],
    [428, undefined, 'backing_off', 'reconnecting/network_lost', 15_000],
    [500, undefined, 'backing_off', 'reconnecting/server_unavailable', 8_000],
    [503, undefined, 'backing_off', 'reconnecting/server_unavailable', 8_000],
    [418, undefined, 'backing_off', 'reconnecting/unknown', 8_000],
    [undefined, undefined, 'backing_off', 'reconnecting/unknown', 8_000],
    [401, undefined, 'idle', 'unpaired/logged_out', undefined],
    [440, 'device_removed', 'idle', 'unpaired/logged_out', undefined],
    [403, undefined, 'idle', 'unpaired/device_removed', undefined],
    [406, undefined, 'stopped/gave_up', 'restricted/banned', undefined],
    [402, undefined, 'stopped/gave_up', 'restricted/temporarily_banned', undefined],
    [405, undefined, 'backing_off', 'reconnecting/client_outdated', 8_000],
    [405, 'version_refused', 'backing_off', 'failed/client_outdated', 300_000],
    [409, undefined, 'stopped/gave_up', 'failed/client_refused', undefined],
    [411, undefined, 'stopped/gave_up', 'failed/multi_device_mismatch', undefined],
  ])('code %s (%s) leads to %s with status %s', (code, node, state, expectedStatus, delayMs) => {
    const { after, effects } = online(code, node);

    expect(describeState(after)).toBe(state);
    expect(status(effects)).toEqual([expectedStatus]);
    expect(delay(effects)).toBe(delayMs);
    expect(names(effects)[0]).toBe('close_socket');
  });

  it('retires credentials of a pairing that WhatsApp never saw confirmed, so that the next request can pair', () => {
    const refused: Input = {
      type: 'socket_closed',
      generation: 1,
      close: { statusCode: 401, node: undefined, wasLogin: true },
    };
    const { after, effects } = last(run([{ input: pair }, { input: refused }]));

    expect(describeState(after)).toBe('idle');
    expect(names(effects)).toContain('retire_credentials');
    expect(status(effects)).toEqual(['unpaired/logged_out']);
  });

  it('retires credentials, removes the account and fails what waits when the device was removed', () => {
    const { effects } = online(401);

    expect(names(effects)).toEqual([
      'close_socket',
      'clear_timer',
      'retire_credentials',
      'record_account',
      'record_status',
      'fail_messages',
    ]);
  });

  it('opens again at once when WhatsApp asks for a restart, and backs off the second time', () => {
    const moments = run([
      { input: start },
      { input: closed(1, 515), afterMs: 500 },
      { input: closed(2, 515), afterMs: 500 },
    ]);

    expect(names(moments[1]?.effects ?? [])).toEqual(['close_socket', 'record_status', 'set_timer', 'open_socket']);
    expect(moments[2]?.after.name).toBe('backing_off');
    expect(delay(moments[2]?.effects ?? [])).toBe(29_500);
  });

  it('doubles the delay, forgives after a stable minute, and not before', () => {
    const moments = run([
      { input: start },
      { input: closed(1, 503), afterMs: 31_000 },
      { input: { type: 'timer' }, afterMs: 8_000 },
      { input: closed(2, 503), afterMs: 31_000 },
      { input: { type: 'timer' }, afterMs: 16_000 },
      { input: opened(3) },
      { input: closed(3, 503), afterMs: 59_999 },
      { input: { type: 'timer' }, afterMs: 32_000 },
      { input: opened(4) },
      { input: closed(4, 503), afterMs: 60_000 },
    ]);

    const delays = [1, 3, 6, 9].map((index) => delay(moments[index]?.effects ?? []));

    expect(delays).toEqual([8_000, 16_000, 32_000, 8_000]);
  });

  it('publishes failed after the most attempts, and goes on trying at the cap', () => {
    const attempts = Array.from({ length: 12 }, (_, index) => [
      { input: closed(index + 1, 503), afterMs: 31_000 },
      { input: { type: 'timer' } as const, afterMs: 300_000 },
    ]).flat();

    const moments = run([{ input: start }, ...attempts]);

    const closes = moments.filter(({ input }) => input.type === 'socket_closed');
    expect(status(closes[9]?.effects ?? [])).toEqual(['reconnecting/server_unavailable']);
    expect(status(closes[10]?.effects ?? [])).toEqual(['failed/too_many_attempts']);
    expect(closes.at(-1)?.after.name).toBe('backing_off');
    expect(delay(closes.at(-1)?.effects ?? [])).toBe(300_000);
    expect(status(moments.at(-1)?.effects ?? [])).toEqual([]);
  });

  it('gives up the fourth time another program takes the place', () => {
    const conflicts = [1, 2, 3, 4].flatMap((generation) => [
      { input: opened(generation) },
      { input: closed(generation, 440, 'replaced'), afterMs: 31_000 },
      { input: confirmed(generation) },
      { input: { type: 'timer' } as const, afterMs: 240_000 },
    ]);

    const moments = run([{ input: start }, ...conflicts]);

    const closes = moments.filter(({ input }) => input.type === 'ownership_confirmed');
    expect(closes.map(({ effects }) => delay(effects))).toEqual([30_000, 60_000, 120_000, undefined]);
    expect(status(closes[3]?.effects ?? [])).toEqual(['failed/conflict']);
    expect(describeState(closes[3]?.after ?? initialState())).toBe('stopped/gave_up');
    expect(names(closes[3]?.effects ?? [])).not.toContain('retire_credentials');
  });

  it('does nothing about a conflict but ask who owns the connection, and stops silently when it is another', () => {
    const moments = run([
      { input: start },
      { input: opened(1) },
      { input: closed(1, 440, 'replaced'), afterMs: 31_000 },
      { input: { type: 'ownership_lost' } },
    ]);

    expect(moments[2]?.effects).toEqual([
      { type: 'read_ownership', generation: 1, close: { statusCode: 440, node: 'replaced' } },
    ]);
    expect(names(moments[3]?.effects ?? [])).toEqual(['close_socket', 'clear_timer', 'runner_stopped']);
  });

  it('says when it tries again, and with which number the socket was closed', () => {
    const { context, effects } = online(503);

    expect(effects).toContainEqual({
      type: 'record_status',
      status: 'reconnecting',
      code: 'server_unavailable',
      nextAttemptAtMs: context.nowMs + 8_000,
      closeCode: 503,
    });
  });

  it('doubts a 401 right after pairing, and believes the second one', () => {
    const moments = run([
      { input: pair },
      { input: offered(1) },
      { input: pairedIn(1) },
      { input: closed(1, 515) },
      { input: closed(2, 401) },
      { input: { type: 'timer' }, afterMs: 30_000 },
      { input: closed(3, 401) },
    ]);

    expect(status(moments[4]?.effects ?? [])).toEqual(['reconnecting/unknown']);
    expect(names(moments[4]?.effects ?? [])).not.toContain('retire_credentials');
    expect(status(moments[6]?.effects ?? [])).toEqual(['unpaired/logged_out']);
    expect(names(moments[6]?.effects ?? [])).toContain('retire_credentials');
  });
});

describe('what the machine does about a 401 after a restart that had to wait', () => {
  it('doubts it as well: the free restart was used up by the pairing', () => {
    const moments = run([
      { input: pair },
      { input: offered(1) },
      { input: pairedIn(1) },
      { input: closed(1, 515) },
      { input: opened(2) },
      { input: closed(2, 515), afterMs: 31_000 },
      { input: { type: 'timer' }, afterMs: 8_000 },
      { input: closed(3, 401) },
    ]);

    expect(moments[5]?.after.name).toBe('backing_off');
    expect(status(moments[7]?.effects ?? [])).toEqual(['reconnecting/unknown']);
  });
});

describe('what the machine does about a ban that ends', () => {
  const DAY_MS = 86_400_000;
  const ban = (generation: number, endsInMs?: number): Input => ({
    type: 'socket_closed',
    generation,
    close: { statusCode: 402, node: undefined, ...(endsInMs === undefined ? {} : { endsInMs }) },
  });

  it('says when it ends, goes there in steps, and opens once then', () => {
    const steps = Array.from({ length: DAY_MS / 300_000 }, () => ({
      input: { type: 'timer' } as const,
      afterMs: 300_000,
    }));

    const life = run([{ input: start }, { input: opened(1) }, { input: ban(1, DAY_MS), afterMs: 40_000 }, ...steps]);

    const banned = life[2];
    expect(status(banned?.effects ?? [])).toEqual(['restricted/temporarily_banned']);
    expect(banned?.effects).toContainEqual(expect.objectContaining({ nextAttemptAtMs: 41_000 + DAY_MS }));
    const opens = life
      .slice(3)
      .flatMap(({ effects, context }) => (names(effects).includes('open_socket') ? [context.nowMs] : []));
    expect(opens).toEqual([41_000 + DAY_MS]);
  });

  it('gives up when the next answer does not say when it ends', () => {
    const life = run([
      { input: start },
      { input: ban(1, 60_000) },
      { input: { type: 'timer' }, afterMs: 60_000 },
      { input: ban(2) },
    ]);

    expect(describeState(last(life).after)).toBe('stopped/gave_up');
  });

  it('keeps 30 s between two opens when it ends sooner', () => {
    const { effects } = last(run([{ input: start }, { input: ban(1, 1_000), afterMs: 5_000 }]));

    expect(delay(effects)).toBe(25_000);
  });
});

describe('what the machine does about a client version that is refused', () => {
  const refused = (generation: number): Input => closed(generation, 405, 'version_refused');

  it('waits, looks again from time to time without a word, and opens at once when the version has changed', () => {
    const life = run([
      { input: start },
      { input: refused(1) },
      { input: { type: 'timer' }, afterMs: 300_000 },
      { input: refused(2) },
      { input: { type: 'version_changed' }, afterMs: 1 },
    ]);

    const statuses = life.map(({ effects }) => status(effects));
    expect(statuses).toEqual([['connecting/opening'], ['failed/client_outdated'], [], ['failed/client_outdated'], []]);
    expect(names(last(life).effects)).toEqual(['set_timer', 'open_socket']);
  });

  it('tries a second time after a first refusal that is no verdict yet', () => {
    const life = run([{ input: start }, { input: closed(1, 405) }, { input: { type: 'timer' }, afterMs: 30_000 }]);

    expect(status(life[1]?.effects ?? [])).toEqual(['reconnecting/client_outdated']);
    expect(names(last(life).effects)).toContain('open_socket');
  });

  it('lets a pairing that is held end with its request', () => {
    const life = run([
      { input: pair },
      { input: refused(1) },
      { input: { type: 'version_changed' }, afterMs: 400_000 },
    ]);

    expect(describeState(last(life).after)).toBe('idle');
    expect(status(last(life).effects)).toEqual(['unpaired/offer_expired']);
  });

  it('does nothing about another version while something else is waited for', () => {
    const { before, after, effects } = last(
      run([{ input: start }, { input: closed(1, 503) }, { input: { type: 'version_changed' } }]),
    );

    expect(after).toBe(before);
    expect(effects).toEqual([]);
  });
});

describe('how the machine pairs', () => {
  it('waits for a request while no account is linked', () => {
    const { after, effects } = last(run([{ input: { type: 'start', linked: false, code: 'offer_expired' } }]));

    expect(after.name).toBe('idle');
    expect(effects).toEqual([
      { type: 'remove_offer' },
      { type: 'record_status', status: 'unpaired', code: 'offer_expired' },
    ]);
  });

  it('shows the offer, records the account, restarts, and goes online', () => {
    const moments = run([
      { input: pair },
      { input: offered(1) },
      { input: offered(1), afterMs: 60_000 },
      { input: pairedIn(1) },
      { input: closed(1, 515) },
      { input: opened(2) },
      { input: { type: 'caught_up', generation: 2 } },
    ]);

    expect(moments.map(({ after }) => after.name)).toEqual([
      'connecting',
      'pairing',
      'pairing',
      'connecting',
      'connecting',
      'online',
      'online',
    ]);
    expect(moments.flatMap(({ effects }) => status(effects))).toEqual([
      'connecting/opening',
      'awaiting_pairing/offer_out',
      'awaiting_pairing/offer_out',
      'connecting/opening',
      'reconnecting/restart_required',
      'online/open',
    ]);
    expect(names(moments[6]?.effects ?? [])).toEqual(['allow_sending']);
  });

  it('becomes unpaired when the offer is spent, and keeps credentials', () => {
    const { after, effects } = last(run([{ input: pair }, { input: offered(1) }, { input: closed(1, 408) }]));

    expect(after.name).toBe('idle');
    expect(names(effects)).toEqual(['close_socket', 'clear_timer', 'remove_offer', 'spend_pairing', 'record_status']);
    expect(status(effects)).toEqual(['unpaired/offer_expired']);
  });

  it('replaces an offer that is out when a newer request comes, with a new socket', () => {
    const again: Input = { type: 'pair_requested', pairing: aPairing('second', 2_000) };

    const { after, effects } = last(run([{ input: pair }, { input: offered(1) }, { input: again }]));

    expect(after).toMatchObject({ name: 'connecting', generation: 2 });
    expect(names(effects)).toEqual(['close_socket', 'remove_offer', 'record_status', 'set_timer', 'open_socket']);
  });

  it('does nothing when the same request comes again', () => {
    const { effects } = last(run([{ input: pair }, { input: offered(1) }, { input: pair }]));

    expect(effects).toEqual([]);
  });

  it('asks once for a code that is refused', () => {
    const { after, effects } = last(run([{ input: pair }, { input: closed(1, 400, 'link_code_companion_reg') }]));

    expect(after.name).toBe('idle');
    expect(status(effects)).toEqual(['unpaired/code_refused']);
    expect(delay(effects)).toBeUndefined();
  });

  it('tries again when the network is lost before an offer was out', () => {
    const { after, effects } = last(run([{ input: pair }, { input: closed(1, 408) }]));

    expect(after.name).toBe('backing_off');
    expect(status(effects)).toEqual(['reconnecting/network_lost']);
  });

  it('gives a pairing up that lost its network for longer than the request lives', () => {
    const { after } = last(
      run([{ input: pair }, { input: closed(1, 428) }, { input: { type: 'timer' }, afterMs: 300_001 }]),
    );

    expect(after.name).toBe('idle');
  });
});

describe('when the machine lets messages be sent', () => {
  const caughtUp: Input = { type: 'caught_up', generation: 1 };

  it('waits until the offline queue is drained', () => {
    const moments = run([{ input: start }, { input: opened(1) }, { input: caughtUp }]);

    expect(moments.map(({ effects }) => names(effects).includes('allow_sending'))).toEqual([false, false, true]);
  });

  it('waits until the socket is open, when the queue is drained before', () => {
    const moments = run([{ input: start }, { input: caughtUp }, { input: opened(1) }, { input: caughtUp }]);

    expect(moments.map(({ effects }) => names(effects).includes('allow_sending'))).toEqual([false, false, true, false]);
    expect(last(moments).after).toMatchObject({ name: 'online', caughtUp: true });
  });
});

describe('how the machine ends', () => {
  it('finishes commands in flight before it closes for a hand-off', () => {
    const moments = run([
      { input: start },
      { input: opened(1) },
      { input: { type: 'drain_requested' } },
      { input: { type: 'drain_finished' } },
    ]);

    expect(names(moments[2]?.effects ?? [])).toEqual(['record_status', 'set_timer', 'finish_commands_in_flight']);
    expect(names(moments[3]?.effects ?? [])).toEqual(['close_socket', 'clear_timer', 'runner_stopped']);
    expect(describeState(last(moments).after)).toBe('stopped/released');
  });

  it('logs the device out when it is unlinked while online', () => {
    const { effects } = last(run([{ input: start }, { input: opened(1) }, { input: { type: 'unlink_requested' } }]));

    expect(effects[0]).toEqual({ type: 'close_socket', generation: 1, kind: 'logout' });
    expect(names(effects)).toContain('retire_credentials');
  });

  it('leaves an unlink to the next owner while it drains', () => {
    const { effects } = last(
      run([
        { input: start },
        { input: opened(1) },
        { input: { type: 'drain_requested' } },
        { input: { type: 'unlink_requested' } },
      ]),
    );

    expect(effects).toEqual([]);
  });

  it('restarts on request with 30 s between two opens, and forgives what failed', () => {
    const { after, effects } = last(
      run([{ input: start }, { input: opened(1) }, { input: { type: 'restart_requested' }, afterMs: 10_000 }]),
    );

    expect(after).toMatchObject({ name: 'backing_off', tries: { failures: 0 } });
    expect(delay(effects)).toBe(20_000);
  });

  it('keeps its distance from the socket of an earlier runner, when it is switched off and on', () => {
    const [moment] = run([{ input: start }], initialState(-9_000));

    expect(moment?.after).toMatchObject({ name: 'backing_off', cause: 'start_requested' });
    expect(status(moment?.effects ?? [])).toEqual(['connecting/opening']);
    expect(delay(moment?.effects ?? [])).toBe(20_000);
  });

  it('opens at once when the socket of an earlier runner is long ago', () => {
    const [moment] = run([{ input: start }], initialState(-29_000));

    expect(moment?.after.name).toBe('connecting');
  });

  it('closes with the device kept when it is switched off', () => {
    const { after, effects } = last(
      run([{ input: start }, { input: opened(1) }, { input: { type: 'stop_requested' } }]),
    );

    expect(describeState(after)).toBe('stopped/off');
    expect(effects[0]).toEqual({ type: 'close_socket', generation: 1, kind: 'end' });
    expect(names(effects)).not.toContain('retire_credentials');
  });
});

describe('what the machine does about a socket that is open in name only', () => {
  const unwell = (generation: number, symptom: SocketSymptom = 'deaf', forMs = 50_000): Input => ({
    type: 'unwell',
    generation,
    symptom,
    forMs,
  });

  it.each<SocketSymptom>(['never_success', 'silent_server', 'deaf', 'sends_stuck'])(
    '%s: closes it, says so, and opens another after the first delay with the credentials kept',
    (symptom) => {
      const { after, effects } = last(
        run([{ input: start }, { input: opened(1) }, { input: unwell(1, symptom), afterMs: 200_000 }]),
      );

      expect(after).toMatchObject({ name: 'backing_off', cause: symptom, tries: { failures: 1 } });
      expect(names(effects)).toEqual(['close_socket', 'record_status', 'set_timer']);
      expect(status(effects)).toEqual([`reconnecting/${symptom}`]);
      expect(delay(effects)).toBe(8_000);
    },
  );

  it('does the same for one that is still opening', () => {
    const { after, effects } = last(run([{ input: start }, { input: unwell(1, 'never_success'), afterMs: 60_000 }]));

    expect(after).toMatchObject({ name: 'backing_off', goal: { kind: 'login' }, cause: 'never_success' });
    expect(names(effects)[0]).toBe('close_socket');
  });

  it('takes the offer away and pairs again when the server falls silent while an offer is out', () => {
    const { after, effects } = last(
      run([{ input: pair }, { input: offered(1) }, { input: unwell(1, 'silent_server'), afterMs: 40_000 }]),
    );

    expect(after).toMatchObject({ name: 'backing_off', goal: { kind: 'pairing' } });
    expect(names(effects)).toEqual(['close_socket', 'remove_offer', 'record_status', 'set_timer']);
  });

  it('forgives nothing for the time in which the socket was unwell, so that the delays grow', () => {
    const moments = run([
      { input: start },
      { input: opened(1) },
      { input: unwell(1, 'silent_server', 60_000), afterMs: 70_000 },
      { input: { type: 'timer' }, afterMs: 8_000 },
      { input: opened(2) },
      { input: unwell(2, 'silent_server', 60_000), afterMs: 70_000 },
      { input: { type: 'timer' }, afterMs: 16_000 },
      { input: opened(3) },
      { input: unwell(3, 'silent_server', 60_000), afterMs: 120_000 },
    ]);

    const delays = [2, 5, 8].map((index) => delay(moments[index]?.effects ?? []));

    expect(delays).toEqual([8_000, 16_000, 8_000]);
  });

  it.each<readonly [string, readonly Input[]]>([
    ['waits for its next try', [start, closed(1, 503), unwell(1)]],
    ['finishes its sends for a hand-off', [start, opened(1), { type: 'drain_requested' }, unwell(1)]],
    ['has stopped', [start, { type: 'stop_requested' }, unwell(1)]],
    ['has another socket by now', [start, closed(1, 515), unwell(1)]],
  ])('does nothing when it %s', (_what, inputs) => {
    const { before, after, effects } = last(run(inputs.map((input) => ({ input }))));

    expect(after).toBe(before);
    expect(effects).toEqual([]);
  });
});
