import type { SQSClient } from '@aws-sdk/client-sqs';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { lingerMs, nextGapMs } from '../../shared/platform/batchedCalls.ts';
import { BATCH_ENTRIES } from '../../shared/platform/queueBatch.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { CommandQueue, type CommandRecord } from './commandQueue.ts';
import { GroupLanes } from './groupLanes.ts';

export interface PollerDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly queueUrl: string;
  /** The client for receives only: its deadline is past the longest wait. */
  readonly polling: SQSClient;
  readonly acting: SQSClient;
  /**
   * Does what a command asks. `done` deletes the command; `later` and a rejection put it and the rest of its group
   * back; `left` leaves them to whoever receives them when their visibility timeout is over.
   */
  readonly handle: (record: CommandRecord) => Promise<'done' | 'later' | 'left'>;
  /** Throws when this worker may not act at the moment. Called before each receive and each call that deletes. */
  readonly assertOpen: () => void;
  readonly isOpen: () => boolean;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
}

/**
 * The greatest number of commands held at once, those included whose delete is under way. SQS gives at most ten of a
 * group until they are deleted, so one connection with a bulk cannot take all of the places.
 */
const MAX_HELD = 400;
const EXTENSIONS_PER_VISIBILITY = 3;
const HURRIED_WAIT_SECONDS = 1;
const PAUSE = { firstMs: 500, capMs: 10_000 } as const;
/**
 * How long a group that failed rests before it goes back, in milliseconds, so that a broken store is not called without
 * pause.
 */
const FAILED_PAUSE_MS = 1_000;
/** How often a command that is done is deleted in vain. It then comes again, and is found done. */
const DELETE_TRIES = 3;
/**
 * The longest rest between a receive and the next, in milliseconds, where commands come quickly one after the other:
 * the next receive then brings several.
 */
const REST_MS = 15;

/**
 * Polls the command queue of one shard. Groups are worked side by side, each in order; a group stops at its first
 * failure and its remaining commands go back, last to first, so that SQS gives them out again in order.
 *
 * A group does not wait for the delete of a command before it begins the next one; deletes share calls. A delete that is
 * lost, for example because the process dies before it, makes SQS give the command out again before any later one of its
 * group, and its row says that it is done.
 */
export class CommandPoller {
  readonly #dependencies: PollerDependencies;
  readonly #queue: CommandQueue;
  readonly #lanes: GroupLanes<CommandRecord>;
  readonly #deleting = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  /** Whether the shard is about to leave. */
  #isHurried = false;
  /**
   * `draining`: takes no more and puts back what was not begun. `abandoned`: another worker owns the shard; nothing
   * more is touched.
   */
  #mode: 'polling' | 'draining' | 'abandoned' = 'polling';
  #loop: Promise<void> | undefined;
  /** The poll that is out, or the last one. */
  #polling: Promise<unknown> = Promise.resolve();
  #extending: Promise<void> | undefined;
  /** The mean time between commands, in milliseconds, and when the last ones came. */
  #gapMs = Infinity;
  #cameAtMs = -Infinity;

  constructor(dependencies: PollerDependencies) {
    this.#dependencies = dependencies;
    this.#queue = new CommandQueue({
      ...dependencies,
      assertMayDelete: () => {
        if (this.#mode === 'abandoned') throw new Error('another worker owns the shard');
        dependencies.assertOpen();
      },
    });
    this.#lanes = new GroupLanes({
      work: (record) => this.#work(record),
      giveBack: (records) => this.#giveBack(records),
      isStopping: () => this.#mode !== 'polling',
    });
  }

  /** Begins to poll. */
  start(): void {
    this.#loop ??= this.#poll();
    this.#extending ??= this.#extend();
  }

  /** Makes polls brief, so that the last one, which cannot be aborted, does not hold up a hand-off; or long again. */
  hurry(isHurried: boolean): void {
    this.#isHurried = isHurried;
  }

  /** Makes polls brief, and resolves when no long poll is out any more. Commands are worked meanwhile as always. */
  async settle(): Promise<void> {
    this.hurry(true);
    await this.#polling;
  }

  /**
   * Takes no more, finishes commands that were begun, and puts the rest back. A poll is never aborted, since SQS would
   * hide the messages that it answers with: this waits for the one that is out.
   */
  async drain(): Promise<void> {
    if (this.#mode === 'polling') this.#mode = 'draining';
    await this.#loop;
    await this.#lanes.idle();
    await Promise.all(this.#deleting);
    this.#ended.abort();
    await this.#extending;
  }

  #waitSeconds(): number {
    const { waitSeconds } = this.#dependencies;
    return this.#isHurried ? Math.min(waitSeconds, HURRIED_WAIT_SECONDS) : waitSeconds;
  }

  /** Ends everything because another worker owns the shard: nothing is deleted, put back or begun from here on. */
  abandon(): void {
    this.#mode = 'abandoned';
    this.#ended.abort();
  }

  async #poll(): Promise<void> {
    const { clock, random, logger, assertOpen } = this.#dependencies;
    let failures = 0;
    while (this.#mode === 'polling') {
      if (this.#lanes.held().length + this.#deleting.size >= MAX_HELD) {
        await clock.sleep(PAUSE.firstMs, this.#ended.signal);
        continue;
      }
      try {
        assertOpen();
        const receiving = this.#queue.receive(this.#waitSeconds());
        this.#polling = receiving.catch(() => undefined);
        const records = await receiving;
        failures = 0;
        this.#lanes.add(records);
        await this.#rest(records.length);
      } catch (error) {
        logger.warn('commands could not be received', { attempt: failures + 1, error });
        await clock.sleep(backoffMs(PAUSE, failures, random.unit()), this.#ended.signal);
        failures += 1;
      }
    }
  }

  /** Rests before the next receive where it pays: commands come quickly, and no more of them are there at the moment. */
  async #rest(came: number): Promise<void> {
    const { clock } = this.#dependencies;
    if (came === 0) return;
    const nowMs = clock.monotonicMs();
    this.#gapMs = nextGapMs(this.#gapMs, (nowMs - this.#cameAtMs) / came);
    this.#cameAtMs = nowMs;
    const restMs = came === BATCH_ENTRIES ? 0 : lingerMs(REST_MS, this.#gapMs);
    if (restMs > 0) await clock.sleep(restMs, this.#ended.signal);
  }

  async #work(record: CommandRecord): Promise<'done' | 'later' | 'left'> {
    const { handle, clock, logger } = this.#dependencies;
    if (this.#mode === 'abandoned') return 'later';
    try {
      const result = await handle(record);
      if (result === 'left') return result;
      if (result === 'done') {
        const deleting = this.#delete(record).finally(() => this.#deleting.delete(deleting));
        this.#deleting.add(deleting);
        return 'done';
      }
    } catch (error) {
      logger.warn('command failed and goes back', { receiveCount: record.receiveCount, error });
    }
    if (this.#mode === 'polling') await clock.sleep(FAILED_PAUSE_MS, this.#ended.signal);
    return 'later';
  }

  /** Deletes a command that is done. Never rejects. */
  async #delete(record: CommandRecord): Promise<void> {
    const { clock, logger } = this.#dependencies;
    for (let attempt = 1; this.#mode !== 'abandoned'; attempt += 1) {
      try {
        await this.#queue.delete(record);
        return;
      } catch (error) {
        logger.debug('a command that is done could not be deleted', { attempt, error });
      }
      if (attempt === DELETE_TRIES) return;
      await clock.sleep(FAILED_PAUSE_MS, this.#ended.signal);
    }
  }

  /** Puts records back, last to first. */
  async #giveBack(records: readonly CommandRecord[]): Promise<void> {
    if (this.#mode !== 'abandoned') await this.#setVisibility([...records].reverse(), 0);
  }

  /** Keeps the held commands hidden from other receivers, each third of the visibility. */
  async #extend(): Promise<void> {
    const { clock, visibilitySeconds, isOpen } = this.#dependencies;
    const everyMs = (visibilitySeconds * 1_000) / EXTENSIONS_PER_VISIBILITY;
    while (!this.#ended.signal.aborted) {
      await clock.sleep(everyMs, this.#ended.signal);
      if (this.#ended.signal.aborted) return;
      // A worker that may not act must not hide commands either: another worker may be waiting for them.
      if (!isOpen()) continue;
      await this.#setVisibility(this.#lanes.held(), visibilitySeconds);
    }
  }

  async #setVisibility(records: readonly CommandRecord[], seconds: number): Promise<void> {
    const { logger } = this.#dependencies;
    try {
      const unchanged = await this.#queue.setVisibility(records, seconds);
      if (unchanged > 0) logger.debug('visibility of some commands could not be changed', { count: unchanged });
    } catch (error) {
      // The commands come back by their timeout, which is safe.
      logger.debug('visibility of commands could not be changed', { error });
    }
  }
}
