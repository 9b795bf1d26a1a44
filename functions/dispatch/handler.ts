import { PutCommand } from '@aws-sdk/lib-dynamodb';
import {
  listNoted,
  moveCursor,
  readCursor,
  windowNote,
  windowOf,
  type NotedConnection,
  type NotesDependencies,
} from '../../shared/message/windowNotes.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { workBulkSends, type BulkDependencies, type BulkProgress } from './bulkSends.ts';
import { eraseConnections, type EraseConnectionsDependencies } from './eraseConnections.ts';
import { doWhatIsDue, type DueDependencies, type DueProgress } from './dueMessages.ts';

export interface DispatchDependencies
  extends
    Omit<DueDependencies, 'messages'>,
    BulkDependencies,
    EraseConnectionsDependencies,
    NotesDependencies,
    Pick<Surroundings, 'logger'> {
  /**
   * How long a run goes on to look after bulk sends that are not over, in milliseconds; 0, where the next run follows at once,
   * looks after each once.
   */
  readonly bulkRoundsMs: number;
}

/**
 * How long after its end a window is still looked at, in milliseconds: a request that named a time just ahead may write its
 * rows that much later.
 */
const GRACE_MS = 120_000;
/** The greatest number of windows that one run handles, a day; after a longer outage the next runs catch up. */
const WINDOWS_PER_RUN = 288;
/** The time after which a run begins nothing new, in milliseconds: less than the function may take. */
const RUN_MS = 40_000;
/** How long a run goes on to look for files of connections that were deleted, in milliseconds: messages do not wait for it. */
const ERASE_MS = 10_000;
/** The pause between two rounds of bulk sends in one run, in milliseconds. */
const BULK_PAUSE_MS = 4_000;
/** Connections that are worked side by side. */
const SIDE_BY_SIDE = 16;

/**
 * Dispatch, each minute: puts the scheduled messages that are due into the queues of commands, has messages looked after
 * that wait and expire, and has the files erased of connections that were deleted. Windows of time lead to connections, and connections to what is due on them.
 *
 * - A run dies, or is made twice: see `dueMessages`; the cursor is moved last, and only forward.
 * - Bulk sends whose messages leave are looked after in rounds until the time of the run is over, so that one does not stand
 *   still for the rest of a minute when its messages have left. One that waits costs no time: the next minute has it again.
 * - A connection cannot be finished now, as it has a backlog or the run has no time left: it is noted anew in the present
 *   window, so that no window of the past holds up later ones.
 *
 * Throws when one connection could not be looked after; the others are, and the next run begins with its window again. One
 * that is refused for good is left: no later window waits for it.
 */
export function makeDispatchHandler(dependencies: DispatchDependencies): () => Promise<void> {
  return async () => {
    const { clock } = dependencies;
    const endsAtMs = clock.monotonicMs() + RUN_MS;
    const run = new Run(dependencies, () => clock.monotonicMs() < endsAtMs);
    const present = windowOf(clock.nowMs());
    const passable = windowOf(clock.nowMs() - GRACE_MS) - 1;
    // The first run of all passes a window, so that from then on the cursor says where to begin.
    const done = (await readCursor(dependencies, 'DUE')) ?? passable - 1;
    for (let window = done + 1; window <= Math.min(present, done + WINDOWS_PER_RUN); window++) {
      await run.handle(await listNoted(dependencies, 'DUE', window));
      if (window > passable || run.failures.length > 0) continue;
      await run.carryOver(present);
      await moveCursor(dependencies, 'DUE', window);
    }
    await run.eraseConnections(Math.min(clock.monotonicMs() + ERASE_MS, endsAtMs));
    const roundsEndAtMs = clock.monotonicMs() + dependencies.bulkRoundsMs;
    const hasTime = (): boolean =>
      clock.monotonicMs() + BULK_PAUSE_MS < Math.min(roundsEndAtMs, endsAtMs) && run.failures.length === 0;
    while (run.hasBulkSends && hasTime()) {
      await clock.sleep(BULK_PAUSE_MS);
      await run.workBulkSends();
    }
    if (run.failures.length > 0) {
      throw new AggregateError(run.failures, `${run.failures.length} connections could not be looked after`);
    }
  };
}

/** One run: each connection is worked once, whatever the number of windows that it is noted in. */
class Run {
  readonly failures: unknown[] = [];
  readonly #dependencies: DispatchDependencies;
  readonly #mayGoOn: () => boolean;
  readonly #worked = new Map<string, DueProgress>();
  #unfinished: NotedConnection[] = [];
  #withBulkSends: NotedConnection[] = [];

  constructor(dependencies: DispatchDependencies, mayGoOn: () => boolean) {
    this.#dependencies = dependencies;
    this.#mayGoOn = mayGoOn;
  }

  async handle(noted: readonly NotedConnection[]): Promise<void> {
    const waiting = noted.filter(({ connectionId }) => !this.#worked.has(connectionId));
    await this.#sideBySide(waiting, (next) => this.#work(next));
  }

  /** Whether there are bulk sends of which messages left or ended a moment ago, so that more may follow. */
  get hasBulkSends(): boolean {
    return this.#withBulkSends.length > 0;
  }

  /** Looks after those bulk sends once more. */
  async workBulkSends(): Promise<void> {
    const again = this.#withBulkSends;
    this.#withBulkSends = [];
    await this.#sideBySide(again, async (noted) => {
      await this.#unlessRefused(noted, async () => {
        await this.#workBulkSends(noted);
      });
    });
  }

  /** Has the files of deleted connections erased, until a time on the monotonic clock, in milliseconds. */
  async eraseConnections(untilMs: number): Promise<void> {
    const { clock } = this.#dependencies;
    await eraseConnections(
      this.#dependencies,
      (erasure, error) => this.#failed(erasure, error),
      () => clock.monotonicMs() < untilMs,
    );
  }

  async #sideBySide(
    connections: readonly NotedConnection[],
    work: (noted: NotedConnection) => Promise<void>,
  ): Promise<void> {
    const waiting = [...connections];
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await work(next);
    };
    await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, waiting.length) }, lane));
  }

  /** Notes the connections of past windows anew that are not finished. */
  async carryOver(window: number): Promise<void> {
    const { table, stage } = this.#dependencies;
    for (const noted of this.#unfinished) {
      const { Put } = windowNote(stage, 'DUE', { ...noted, cause: 'carried', window });
      await table.send(new PutCommand(Put));
    }
    this.#unfinished = [];
  }

  async #work(noted: NotedConnection): Promise<void> {
    await this.#unlessRefused(noted, async () => {
      const due = await doWhatIsDue(this.#dependencies, noted, this.#mayGoOn);
      const bulk = await this.#workBulkSends(noted);
      const progress = due === 'later' || bulk !== 'done' ? 'later' : 'done';
      this.#worked.set(noted.connectionId, progress);
      if (progress === 'later') this.#unfinished.push(noted);
    });
  }

  async #workBulkSends(noted: NotedConnection): Promise<BulkProgress> {
    const progress = await workBulkSends(this.#dependencies, noted, this.#mayGoOn);
    if (progress === 'moves') this.#withBulkSends.push(noted);
    return progress;
  }

  async #unlessRefused(noted: NotedConnection, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(noted, error);
    }
  }

  /** Keeps a failure that passes, so that the run is made again; one that is refused for good is said and left. */
  #failed({ tenantId, connectionId }: Pick<NotedConnection, 'tenantId' | 'connectionId'>, error: unknown): void {
    if (judgeFailure(error) === 'passing') {
      this.failures.push(error);
      return;
    }
    const { metrics, logger } = this.#dependencies;
    metrics.count('FactsRefused', { reason: refusalOf(error) });
    logger.error('what is due on a connection could not be done', { tenantId, connectionId, error });
  }
}
