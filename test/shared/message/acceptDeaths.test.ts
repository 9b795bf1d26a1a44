import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { listNoted, moveCursor, windowOf } from '../../../shared/message/windowNotes.ts';
import { isPlayed, played, playsAll } from '../../sample.ts';
import { Life, startAcceptWorld, withConflicts, type AcceptWorld, type Death } from './acceptWorld.ts';

/** The time after which reconcile has come to a window that begins now. */
const COME_TO_MS = 22 * 60_000;
const [ROW, COMMAND] = [1, 2];
/** An odd number, so that deaths before and after a call are among those that are played. */
const ONE_OF = 5;

describe('accepting, with processes that die', () => {
  let world: AcceptWorld;
  let connection: Connection;
  beforeAll(async () => {
    world = await startAcceptWorld();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    connection = await world.core.aConnection();
    // Reconcile has handled all that was before.
    world.clock.advance(COME_TO_MS);
    await world.reconcile();
  });

  /** What a process writes: the note with the first message of a window, the key where the caller gave one. */
  const writes = [
    ['a row with its note', { key: undefined, isNoted: false }],
    ['a row alone', { key: undefined, isNoted: true }],
    ['a row with key and note', { key: 'order-1', isNoted: false }],
    ['a row with its key', { key: 'order-1', isNoted: true }],
  ] as const;
  const deaths: readonly (Death | undefined)[] = [
    ...[ROW, COMMAND].flatMap((at) => [{ at, when: 'before' } as const, { at, when: 'after' } as const]),
    undefined,
  ];
  const accepts = writes.flatMap(([what, how]) => deaths.map((death) => ({ what, ...how, death })));
  const nameOf = (death: Death | undefined): string => (death === undefined ? 'never' : `${death.when} ${death.at}`);
  const named = played(accepts, 3).map((each) => [`${each.what}, it dies ${nameOf(each.death)}`, each] as const);

  it.each(named)('sends each message once, or ends it as one that never was in the queue: %s', async (_, how) => {
    const { key, isNoted, death } = how;
    // A process has noted the window when it has accepted a message of it, which took it two calls.
    const before = isNoted ? 2 : 0;
    const api = world.startApi(death && new Life({ ...death, at: death.at + before }));
    if (isNoted) await api.accept({ connection, text: 'earlier' });
    world.clock.advance(1);

    const answer = await api.accept({ connection, key });
    world.clock.advance(COME_TO_MS);
    await world.reconcile();
    const sent = await world.work(connection);

    const hasRow = death === undefined || death.at > ROW || death.when === 'after';
    const hasCommand = death === undefined || (death.at === COMMAND && death.when === 'after');
    expect(answer !== undefined).toBe(death === undefined);
    expect(sent.filter((text) => text === 'hello')).toHaveLength(hasCommand ? 1 : 0);
    expect((await world.statesOf(connection)).slice(isNoted ? 1 : 0)).toEqual(
      hasRow ? [hasCommand ? 'sent' : 'failed/not_enqueued'] : [],
    );
  });

  it.each(named.filter(([, { key }]) => key !== undefined))(
    'the same key brings one message, whatever became of the first request: %s',
    async (_, { key, death }) => {
      const api = world.startApi(new Life(death));
      const first = await api.accept({ connection, key });

      const again = await world.startApi().accept({ connection, key });
      const third = await world.startApi().accept({ connection, key });
      const sent = await world.work(connection);
      world.clock.advance(COME_TO_MS);
      await world.reconcile();
      const later = await world.work(connection);

      expect(first ?? again).toEqual(again);
      expect(third).toEqual(again);
      expect([sent, later]).toEqual([['hello'], []]);
      expect(await world.statesOf(connection)).toEqual(['sent']);
    },
  );

  it('ends a message that never was in the queue, wherever a run of reconcile dies and another begins', async () => {
    let deadRuns = 0;
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const [index, when] of (['before', 'after'] as const).entries()) {
        if (!isPlayed(2 * at + index, ONE_OF)) continue;
        const each = await world.core.aConnection();
        const lost = world.startApi(new Life({ at: COMMAND, when: 'before' }));
        await lost.accept({ connection: each });
        await moveCursor({ table: world.core.table, stage: 'test' }, 'UNQUEUED', windowOf(world.clock.nowMs()) - 1);
        world.clock.advance(1);
        await world.startApi().accept({ connection: each, text: 'queued' });
        world.clock.advance(COME_TO_MS);
        const life = new Life({ at, when });

        await world.reconcile(life);
        await world.reconcile();
        const sent = await world.work(each);

        expect(sent).toEqual(['queued']);
        expect(await world.statesOf(each)).toEqual(['failed/not_enqueued', 'sent']);
        if (life.isDead) deadRuns++;
        isOver = !life.isDead;
      }
    }
    // The cursor, the four parts of a window, the rows, two commands, and the cursor again.
    expect(deadRuns).toBeGreaterThanOrEqual(playsAll ? 2 * 9 : 2);
  });

  it('sends what waits in the queue longer than the limit, although the queue is asked about it', async () => {
    await world.startApi().accept({ connection });
    world.clock.advance(COME_TO_MS);
    await world.reconcile();

    const sent = await world.work(connection);

    expect(sent).toEqual(['hello']);
    expect(await world.statesOf(connection)).toEqual(['sent']);
  });

  it('gives one message to many requests with one key at once, in several processes', async () => {
    const table = withConflicts(world.core.table);
    const processes = Array.from({ length: 3 }, () => world.startApi(new Life(), { table }));

    const answers = await Promise.all(
      processes.flatMap((api) => [1, 2, 3].map(() => api.accept({ connection, key: 'order-1' }))),
    );

    expect(new Set(answers.map((answer) => answer?.messageId)).size).toBe(1);
    expect(await world.work(connection)).toEqual(['hello']);
  });

  it('accepts the first messages of a window at once in several processes, and reconcile finds the connection once', async () => {
    const table = withConflicts(world.core.table);
    const processes = Array.from({ length: 10 }, () => world.startApi(new Life(), { table }));
    const [acceptedAtMs, sleepsBefore] = [world.clock.nowMs(), world.sleeps()];

    const answers = await Promise.all(processes.flatMap((api) => [1, 2, 3].map(() => api.accept({ connection }))));

    const noted = await listNoted({ table: world.core.table, stage: 'test' }, 'UNQUEUED', windowOf(acceptedAtMs));
    expect(new Set(answers.map((answer) => answer?.messageId)).size).toBe(30);
    // Nobody had to wait for another.
    expect(world.sleeps()).toBe(sleepsBefore);
    expect(noted.filter(({ connectionId }) => connectionId === connection.connectionId)).toHaveLength(1);
    expect(await world.work(connection)).toHaveLength(30);
  });

  it('never takes two messages for one, also when chance gives both the same ids and all else is the same', async () => {
    const drawn = ['same', 'same', 'other'];
    const random = {
      ...systemRandom,
      // The ids of a message take four bytes.
      bytes: (size: number) =>
        size === 4 ? Buffer.from(drawn.shift() ?? 'more').subarray(0, 4) : systemRandom.bytes(size),
    };
    await world.startApi().accept({ connection, text: 'before' });
    const api = world.startApi(new Life(), { random });

    const one = await api.accept({ connection });
    const other = await api.accept({ connection });

    expect(drawn).toEqual([]);
    expect(one?.stanzaId).not.toBe(other?.stanzaId);
    expect(await world.work(connection)).toEqual(['before', 'hello', 'hello']);
  });

  it('knows its own row when the answer of a write was lost and the client wrote again', async () => {
    const { table } = world.core;
    const send = table.send.bind(table) as (command: unknown) => Promise<unknown>;
    let twice = 0;
    const stuttering = Object.assign(Object.create(table) as typeof table, {
      send: async (command: unknown): Promise<unknown> => {
        if (command instanceof PutCommand) {
          twice++;
          await send(command);
        }
        return send(command);
      },
    });
    const api = world.startApi(new Life(), { table: stuttering });
    await api.accept({ connection, text: 'before' });

    const answer = await api.accept({ connection });

    expect([answer?.state, twice]).toEqual(['queued', 1]);
    expect(await world.work(connection)).toEqual(['before', 'hello']);
    expect(await world.statesOf(connection)).toEqual(['sent', 'sent']);
  });
});
