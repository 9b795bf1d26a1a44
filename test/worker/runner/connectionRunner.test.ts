import { describe, expect, it } from 'vitest';
import type { Input } from '../../../worker/runner/machineTypes.ts';
import type { RunnerDependencies } from '../../../worker/runner/runnerDependencies.ts';
import { makeLogger } from '../../../shared/platform/logger.ts';
import { aRunner, settle, type FakeSource } from './fakes.ts';
import { anAccount, anOffer, aPairing, aPolicy } from './scripts.ts';

const start: Input = { type: 'start', linked: true, code: 'never_paired' };
const opens = ({ last }: FakeSource): void =>
  last.say({ type: 'socket_opened', generation: last.generation, account: anAccount });
const closes = ({ last }: FakeSource, statusCode: number | undefined): void =>
  last.say({ type: 'socket_closed', generation: last.generation, close: { statusCode, node: undefined } });

describe('the runner of a connection', () => {
  it('opens, goes online, and may send once it has caught up', async () => {
    const { runner, source, records, published, sending } = aRunner();

    runner.deliver(start);
    await settle();
    opens(source);
    await settle();
    const beforeCaughtUp = runner.usableSocket();
    source.last.say({ type: 'caught_up', generation: 1 });
    await settle();

    expect(beforeCaughtUp).toBeUndefined();
    expect(runner.usableSocket()).toBe(source.last);
    expect(sending).toEqual(['allow']);
    expect(records.written).toEqual(['connecting/opening', 'online/open, account']);
    expect(published()).toEqual(['online/open']);
  });

  it('tells tenants of a lost connection only when it lasts', async () => {
    const { runner, source, records, published, clock } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(60_000);

    closes(source, 408);
    await clock.pass(4_999);
    const early = published();
    await clock.pass(1);

    expect(early).toEqual(['online/open']);
    expect(published()).toEqual(['online/open', 'reconnecting/network_lost']);
    expect(records.written.at(-1)).toBe('reconnecting/network_lost');
  });

  it('does not publish a status again that tenants know, after a short loss', async () => {
    const { runner, source, published, records, clock } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(60_000);

    closes(source, 515);
    await settle();
    opens(source);
    await clock.pass(60_000);

    expect(published()).toEqual(['online/open']);
    expect(records.written.slice(-2)).toEqual(['reconnecting/restart_required', 'online/open, account']);
  });

  it('closes the old socket fully before it opens a new one', async () => {
    const { runner, source } = aRunner();
    const closing = Promise.withResolvers<void>();
    source.closing = closing.promise;
    runner.deliver({ type: 'pair_requested', pairing: aPairing('first', 1_000_000) });
    await settle();

    runner.deliver({ type: 'pair_requested', pairing: aPairing('second', 1_000_000) });
    await settle();
    const openedEarly = source.opened.length;
    closing.resolve();
    await settle();

    expect(openedEarly).toBe(1);
    expect(source.opened.map(({ pairing }) => pairing)).toEqual([true, true]);
    expect(source.mostOpen).toBe(1);
  });

  it('shows the offer and takes it away once it is used', async () => {
    const { runner, source, records, published } = aRunner();
    runner.deliver({ type: 'pair_requested', pairing: aPairing('first', 1_000_000) });
    await settle();

    source.last.say({ type: 'pairing_offered', generation: 1, offer: anOffer });
    await settle();
    source.last.say({ type: 'paired', generation: 1, account: anAccount });
    await settle();

    expect(records.written).toEqual([
      'connecting/opening',
      'offer qr',
      'awaiting_pairing/offer_out',
      'no offer',
      'connecting/opening, account',
    ]);
    expect(published()).toEqual(['awaiting_pairing/offer_out']);
  });

  it('gives the handshake slot back at open, at close and when an offer is out', async () => {
    const { runner, source, turns, clock } = aRunner();
    runner.deliver({ type: 'pair_requested', pairing: aPairing('first', 1_000_000) });
    await settle();
    const held = { ...turns };
    source.last.say({ type: 'pairing_offered', generation: 1, offer: anOffer });
    await settle();
    const offered = { ...turns };
    closes(source, 515);
    await settle();
    opens(source);
    await clock.pass(60_000);

    expect(held).toEqual({ taken: 1, given: 0 });
    expect(offered).toEqual({ taken: 1, given: 1 });
    expect(turns).toEqual({ taken: 2, given: 2 });
  });

  it('gives it back, too, when WhatsApp has let the socket in, whatever the store still takes', async () => {
    const { runner, source, turns } = aRunner();
    runner.deliver(start);
    await settle();

    source.last.letIn();
    const letIn = { ...turns };
    opens(source);
    await settle();

    expect([letIn, turns]).toEqual([
      { taken: 1, given: 1 },
      { taken: 1, given: 1 },
    ]);
  });

  it('asks the store before its turn to pair, and after its turn to log in', async () => {
    const order: string[] = [];
    const takeTurn = async () => {
      order.push('turn');
      return () => undefined;
    };
    const pairing = aRunner({ takeTurn });
    pairing.source.prepare = async () => void order.push('prepared');
    pairing.runner.deliver({ type: 'pair_requested', pairing: aPairing('first', 1_000_000) });
    await settle();
    const login = aRunner({ takeTurn });
    login.source.prepare = async () => void order.push('prepared');
    login.runner.deliver(start);
    await settle();

    expect(order).toEqual(['prepared', 'turn', 'turn']);
  });

  it('writes record, offer and history side by side, and publishes when all are written', async () => {
    const { runner, source, records, published, clock } = aRunner();
    runner.deliver({ type: 'pair_requested', pairing: aPairing('first', 1_000_000) });
    await settle();
    const offer = Promise.withResolvers<'stored'>();
    records.offers.put = () => offer.promise;
    source.last.say({ type: 'pairing_offered', generation: 1, offer: anOffer });
    await clock.pass(1_000);
    const meanwhile = { written: records.written.at(-1), kept: records.kept.at(-1), published: published() };

    offer.resolve('stored');
    await settle();

    expect(meanwhile).toEqual({
      written: 'awaiting_pairing/offer_out',
      kept: '2 awaiting_pairing/offer_out',
      published: [],
    });
    expect(published()).toEqual(['awaiting_pairing/offer_out']);
  });

  it('gives up its wait for a turn when it has to stop', async () => {
    const { runner, source, stops } = aRunner({
      takeTurn: (signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    });
    runner.deliver(start);
    await settle();

    runner.deliver({ type: 'ownership_lost' });
    await settle();

    expect(stops).toEqual(['ownership_lost']);
    expect(source.abandoned).toBe(1);
    expect(source.opened).toEqual([]);
  });

  it('backs off when a socket cannot be opened, and tries again', async () => {
    const { runner, source, clock, turns } = aRunner();
    source.problems.push(new Error('the session store is down'));

    runner.deliver(start);
    await settle();
    const after = runner.state.name;
    await clock.pass(30_000);

    expect(after).toBe('backing_off');
    expect(source.opened.length).toBe(1);
    expect(turns).toEqual({ taken: 2, given: 1 });
  });

  it('stops when a newer owner has raised the epoch of the credentials', async () => {
    const { runner, source, stops, records } = aRunner();
    source.problems.push('lost');

    runner.deliver(start);
    await settle();

    expect(stops).toEqual(['ownership_lost']);
    expect(records.written).toEqual([]);
  });

  it('becomes unpaired when there is nothing to log in with', async () => {
    const { runner, source, records, sending } = aRunner();
    source.problems.push('unlinked');

    runner.deliver(start);
    await settle();

    expect(runner.state.name).toBe('idle');
    expect(records.written).toContain('unpaired/logged_out, no account');
    expect(sending).toEqual(['fail all']);
  });

  it('retires credentials until it succeeds', async () => {
    const { runner, source, clock } = aRunner();
    source.retireFailures = 2;
    runner.deliver(start);
    await settle();

    closes(source, 401);
    await clock.pass(5_000);

    expect(source.retired).toBe(1);
    expect(runner.state.name).toBe('idle');
  });

  it('writes the newest status until the table takes it, and each published one once and in order', async () => {
    const { runner, source, records, published, publisher, clock } = aRunner();
    records.failures = 3;
    publisher.isDown = true;
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(10_000);

    publisher.isDown = false;
    await clock.pass(60_000);

    expect(records.written).toEqual(['online/open, account']);
    expect(published()).toEqual(['online/open']);
    expect(new Set(publisher.facts.map(({ key }) => key)).size).toBe(publisher.facts.length);
  });

  it('stops when the record shows a newer owner', async () => {
    const { runner, records, stops } = aRunner();
    records.answer = 'missing';

    runner.deliver(start);
    await settle();

    expect(stops).toEqual(['ownership_lost']);
  });

  it('takes no turn and opens nothing while WhatsApp refuses the client version', async () => {
    const { runner, source, records, clock, turns } = aRunner();
    source.versionRefused = true;

    runner.deliver(start);
    await clock.pass(3_600_000);

    expect([turns.taken, source.opened.length]).toEqual([0, 0]);
    expect(records.written.at(-1)).toBe('failed/client_outdated');
    expect(records.attempts).toEqual([]);
  });

  it('opens as soon as the client version has changed', async () => {
    const { runner, source, clock } = aRunner();
    source.versionRefused = true;
    runner.deliver(start);
    await clock.pass(60_000);
    source.versionRefused = false;

    runner.deliver({ type: 'version_changed' });
    await settle();

    expect(source.opened).toHaveLength(1);
  });

  it('gives a turn back that it got after the version was refused', async () => {
    const turn = Promise.withResolvers<() => void>();
    let given = 0;
    const { runner, source } = aRunner({ takeTurn: () => turn.promise });
    runner.deliver(start);
    await settle();
    source.versionRefused = true;

    turn.resolve(() => void (given += 1));
    await settle();

    expect([given, source.opened.length, runner.state.name]).toEqual([1, 0, 'backing_off']);
  });

  it.each<[string, FakeSource['logOutOutcome']]>([
    ['done', 'done'],
    ['refused', 'refused'],
    ['impossible', new Error('the network is down')],
  ])('unlinks while it is offline, once WhatsApp was told: %s', async (_what, outcome) => {
    const { runner, source, records, stops, turns, clock } = aRunner();
    source.logOutOutcome = outcome;
    runner.deliver(start);
    await settle();
    source.last.say({ type: 'socket_closed', generation: 1, close: { statusCode: 503, node: undefined } });
    await settle();

    runner.deliver({ type: 'unlink_requested' });
    await clock.pass(1_000);

    expect(source.loggedOut).toHaveLength(1);
    expect([source.retired, source.mostOpen, stops]).toEqual([1, 1, ['unlinked']]);
    expect(records.written.at(-1)).toBe('unpaired/unlinked, no account');
    expect(turns.given).toBeGreaterThanOrEqual(turns.taken);
  });

  it('needs no socket of its own to unlink while it is online', async () => {
    const { runner, source, clock } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await settle();

    runner.deliver({ type: 'unlink_requested' });
    await clock.pass(1_000);

    expect([source.loggedOut, source.last.closedAs]).toEqual([[], ['logout']]);
  });

  it('tells tenants nothing of what the record has refused', async () => {
    const { runner, source, records, published, clock, stops } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(10_000);
    records.answer = 'missing';

    source.last.say({ type: 'socket_closed', generation: 1, close: { statusCode: 405, node: undefined } });
    await clock.pass(60_000);

    expect(published()).toEqual(['online/open']);
    expect(records.kept.at(-1)).toBe('2 online/open');
    expect(stops).toHaveLength(1);
  });

  it('stops without a word when the store shows a newer owner after a conflict', async () => {
    const { runner, source, records, published, clock, stops } = aRunner({ readOwnership: async () => 'lost' });
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(10_000);

    source.last.say({ type: 'socket_closed', generation: 1, close: { statusCode: 440, node: 'replaced' } });
    await clock.pass(60_000);

    expect(stops).toEqual(['ownership_lost']);
    expect(records.kept).toEqual(['1 connecting/opening', '2 online/open']);
    expect(published()).toEqual(['online/open']);
  });

  it.each<[string, RunnerDependencies['readOwnership']]>([
    ['says so', async () => 'owned'],
    ['does not answer', () => Promise.reject(new Error('the table is down'))],
    ['hangs', () => new Promise(() => undefined)],
  ])('tries again after a conflict when the store %s', async (_what, readOwnership) => {
    const { runner, source, records, clock } = aRunner({ readOwnership });
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(31_000);

    source.last.say({ type: 'socket_closed', generation: 1, close: { statusCode: 440, node: 'replaced' } });
    await clock.pass(36_000);

    expect(source.opened).toHaveLength(2);
    expect(records.kept).toContain('3 reconnecting/replaced 440');
  });

  it('shows each next attempt in the record, and tells tenants of the status once', async () => {
    const { runner, source, records, publisher, published, clock } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(31_000);
    for (const generation of [1, 2, 3]) {
      source.last.say({ type: 'socket_closed', generation, close: { statusCode: 503, node: undefined } });
      await clock.pass(40_000);
    }

    expect(records.attempts.map((atMs, index) => Math.round(atMs - (records.attempts[index - 1] ?? atMs)))).toEqual([
      0, 48_000, 56_000,
    ]);
    expect(records.written.filter((line) => line === 'reconnecting/server_unavailable')).toHaveLength(3);
    expect(records.kept).toEqual(['1 connecting/opening', '2 online/open', '3 reconnecting/server_unavailable 503']);
    expect(published()).toEqual(['online/open', 'reconnecting/server_unavailable']);
    expect(publisher.facts.at(-1)).toMatchObject({ nextAttemptAtMs: records.attempts[0] });
  });

  it('goes by the policy of the moment', async () => {
    let baseDelayMs = 5_000;
    const { runner, source, clock } = aRunner({ policy: () => ({ ...aPolicy, openSpacingMs: 0, baseDelayMs }) });
    runner.deliver(start);
    await settle();
    opens(source);
    baseDelayMs = 50_000;

    source.last.say({ type: 'socket_closed', generation: 1, close: { statusCode: 503, node: undefined } });
    await clock.pass(79_000);
    const early = source.opened.length;
    await clock.pass(2_000);

    expect([early, source.opened.length]).toEqual([1, 2]);
  });

  it('finishes sends in flight, closes without logging out, and is released', async () => {
    const { runner, source, sending, stops, records, clock } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await settle();

    runner.deliver({ type: 'drain_requested' });
    await settle();

    expect(await runner.stopped).toBe('released');
    expect(sending).toEqual(['finish']);
    expect(source.last.closedAs).toEqual(['end']);
    expect(records.written.at(-1)).toBe('handing_off/moving');
    expect(stops).toEqual(['released']);
    expect(clock.sleeping).toBe(0);
  });

  it('writes nothing once ownership is lost, even what was waiting to be written', async () => {
    const { runner, source, records, stops, clock } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await settle();
    const written = [...records.written];
    records.failures = 1;
    closes(source, 503);
    await settle();

    runner.deliver({ type: 'ownership_lost' });
    await clock.pass(120_000);

    expect(stops).toEqual(['ownership_lost']);
    expect(records.written).toEqual(written);
    expect(source.openNow).toBe(0);
  });

  it('closes a socket that is open in name only before it opens another', async () => {
    const { runner, source, clock, records } = aRunner();
    runner.deliver(start);
    await settle();
    opens(source);
    await clock.pass(100_000);
    const closing = Promise.withResolvers<void>();
    source.closing = closing.promise;

    runner.deliver({ type: 'unwell', generation: 1, symptom: 'sends_stuck', forMs: 60_000 });
    await clock.pass(20_000);
    const whileItCloses = source.opened.length;
    closing.resolve();
    await clock.pass(8_000);

    expect(whileItCloses).toBe(1);
    expect(source.opened).toHaveLength(2);
    expect(source.mostOpen).toBe(1);
    expect(source.opened[0]?.closedAs).toEqual(['end']);
    expect(records.written).toContain('reconnecting/sends_stuck');
  });

  it('tells since when it is at the input in hand, and not while it waits for its turn to open', async () => {
    const turn = Promise.withResolvers<() => void>();
    const closing = Promise.withResolvers<void>();
    const { runner, source, clock } = aRunner({ takeTurn: () => turn.promise });
    const busy: (number | undefined)[] = [];
    const note = (): void => {
      const sinceMs = runner.busySinceMs;
      busy.push(sinceMs === undefined ? undefined : clock.monotonicMs() - sinceMs);
    };

    note();
    runner.deliver(start);
    await clock.pass(50_000);
    note();
    turn.resolve(() => undefined);
    await settle();
    note();
    source.closing = closing.promise;
    runner.deliver({ type: 'stop_requested' });
    await clock.pass(12_000);
    note();
    closing.resolve();
    await settle();
    note();

    expect(busy).toEqual([undefined, undefined, undefined, 12_000, undefined]);
  });

  it('says so when a socket does not close', async () => {
    const { runner, source, broken } = aRunner();
    source.closing = Promise.reject(new Error('the socket hangs'));
    source.closing.catch(() => undefined);
    runner.deliver(start);
    await settle();

    runner.deliver({ type: 'stop_requested' });
    await settle();

    expect(broken).toEqual([new Error('the socket hangs')]);
  });

  it('logs each change of state once, with its cause', async () => {
    const lines: string[] = [];
    const logger = makeLogger('test', 'info', { write: (line) => void lines.push(line) });
    const { runner, source } = aRunner({ logger });
    runner.deliver(start);
    await settle();
    opens(source);
    source.last.say({ type: 'caught_up', generation: 1 });
    closes(source, 503);
    await settle();

    const changes = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(({ message, from, input, to, cause }) => [message, from, input, to, cause]);

    expect(changes).toEqual([
      ['connection changed state', 'idle', 'start', 'connecting', undefined],
      ['connection changed state', 'connecting', 'socket_opened', 'online', undefined],
      ['connection changed state', 'online', 'socket_closed', 'backing_off', 'server_unavailable'],
    ]);
  });
});
