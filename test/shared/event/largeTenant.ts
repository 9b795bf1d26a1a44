import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantEvent } from '../../../shared/event/event.ts';
import { grow } from '../../../shared/event/eventGrowth.ts';
import { readDirectory } from '../../../shared/event/eventLanes.ts';
import { GAP_PATIENCE_MS, type EventLogDependencies } from '../../../shared/event/eventLog.ts';
import { takePlacesFor, toEvent, writePage } from '../../../shared/event/eventPages.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { makeId, type ConnectionId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { isThrottled } from '../../../shared/platform/judgeStoreCall.ts';
import { LimitedDynamoDb, type Peak } from '../../simulation/aws/partitionLimits.ts';
import { makeSeededRandom, type SeededRandom } from '../../simulation/seededRandom.ts';
import { VirtualTime } from '../../simulation/virtualTime.ts';
import { aStatusDraft } from './loggedEvents.ts';

/** A tenant with very many events, on virtual time, through the real code of the event log against the limits of a partition. */
export interface LargeTenant {
  readonly seed: number;
  readonly seconds: number;
  /** How many events there are a second, by the second. */
  readonly perSecond: (second: number) => number;
  readonly connections: number;
  /** The generation in which the log is when it begins. */
  readonly generation: number;
  /** The share of batches whose writer dies between taking places and writing. */
  readonly deaths: number;
}

export interface Verdict {
  readonly told: number;
  /** The events that each reader got; only ones that it expected count. */
  readonly read: readonly number[];
  /** What a reader got twice, too early or out of order. */
  readonly violations: readonly string[];
  /** Calls that the table throttled, and those of them that were so in each of their tries. */
  readonly throttled: number;
  readonly givenUp: number;
  readonly peaks: { readonly writes: Peak; readonly reads: Peak };
  readonly generation: number;
  /** The longest time for which an event waited before the first reader had it, in milliseconds. */
  readonly slowestMs: number;
}

const TENANT = makeId('tnt', 0, systemRandom);
const PROCESSES = 16;
const READERS = 2;
const PAGE = 100;
const POLL_MS = 200;
/** The number of tries of a call, as many as the real client makes. */
const TRIES = 3;
const RETRY_MS = 100;
const MOST_VIOLATIONS = 5;
/** When a batch whose function failed or died comes again. */
const REDELIVERY_MS = 2_000;
const START_MS = Date.UTC(2026, 7, 1);

class World {
  readonly time = new VirtualTime();
  readonly table = new LimitedDynamoDb();
  readonly random: SeededRandom;
  givenUp = 0;

  constructor(seed: number) {
    this.random = makeSeededRandom(seed);
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.time.after(durationMs, resolve));
  }

  /** A process with a client of its own, which tries again what was throttled. */
  process(): EventLogDependencies {
    const send = async (command: unknown): Promise<unknown> => {
      for (let attempt = 1; ; attempt += 1) {
        await this.sleep(this.random.between(1, 4));
        try {
          const answer = this.table.apply(command, this.time.nowMs);
          await this.sleep(this.random.between(1, 4));
          return answer;
        } catch (error) {
          if (!isThrottled(error)) throw error;
          if (attempt === TRIES) {
            this.givenUp += 1;
            throw error;
          }
          await this.sleep(RETRY_MS * 2 ** attempt * this.random.unit());
        }
      }
    };
    const nowMs = (): number => START_MS + this.time.nowMs;
    const clock = { nowMs, monotonicMs: () => this.time.nowMs, sleep: (durationMs: number) => this.sleep(durationMs) };
    return { table: { send } as unknown as DynamoDBDocumentClient, stage: 'test', clock };
  }
}

/** Tells the events of one connection one after the other, each as a batch, whichever process has it and dies of it. */
class Connection {
  told = 0;
  readonly #world: World;
  readonly #processes: readonly EventLogDependencies[];
  readonly #id: ConnectionId;
  readonly #deaths: number;
  #due = 0;
  #isBusy = false;

  constructor(world: World, processes: readonly EventLogDependencies[], number: number, deaths: number) {
    this.#world = world;
    this.#processes = processes;
    this.#id = `con_${number}` as ConnectionId;
    this.#deaths = deaths;
  }

  /** Something has happened that is to be told. */
  happen(): void {
    this.#due += 1;
    if (!this.#isBusy) void this.#work();
  }

  get isIdle(): boolean {
    return !this.#isBusy;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.told < this.#due) {
      const isTold = await this.#tell().catch((error: unknown) => {
        if (isThrottled(error)) return false;
        throw error;
      });
      if (isTold) this.told += 1;
      else await this.#world.sleep(REDELIVERY_MS);
    }
    this.#isBusy = false;
  }

  async #tell(): Promise<boolean> {
    const process = this.#world.random.pick(this.#processes);
    const places = await takePlacesFor(process, TENANT, this.#id, 1);
    if (this.#deaths > 0 && this.#world.random.chance(this.#deaths)) return false;
    const correlationId = `${this.told}@${this.#world.time.nowMs}`;
    const draft = aStatusDraft(TENANT, { connectionId: this.#id, correlationId });
    return (await writePage(process, TENANT, places, [toEvent(places, 0, draft)])) === 'written';
  }
}

/** Reads on and on, and checks what comes. */
class Reader {
  read = 0;
  slowestMs = 0;
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #next = new Map<string, { number: number; id: string }>();

  constructor(world: World) {
    this.#world = world;
  }

  async run(isOver: () => boolean): Promise<void> {
    const process = this.#world.process();
    let after: string | undefined;
    for (;;) {
      const page = await readEvents(process, TENANT, after, PAGE).catch((error: unknown) => {
        if (isThrottled(error) || (error as { code?: unknown }).code === 'store_unavailable') return undefined;
        throw error;
      });
      after = page?.next ?? after;
      for (const event of page?.events ?? []) this.#check(event);
      if (page !== undefined && !page.hasMore && isOver()) return;
      if (page?.hasMore !== true) await this.#world.sleep(POLL_MS);
    }
  }

  #check({ id, connectionId, correlationId }: TenantEvent): void {
    const expected = this.#next.get(connectionId) ?? { number: 0, id: '' };
    const [number = Number.NaN, toldAtMs = Number.NaN] = correlationId.split('@').map(Number);
    if (number !== expected.number || id <= expected.id) {
      if (this.violations.length < MOST_VIOLATIONS) {
        this.violations.push(`${connectionId}: ${number} as ${id}, where ${expected.number} was expected`);
      }
      return;
    }
    this.#next.set(connectionId, { number: number + 1, id });
    this.read += 1;
    this.slowestMs = Math.max(this.slowestMs, this.#world.time.nowMs - toldAtMs);
  }
}

/** Lets a tenant have its events, and its readers read them all. */
export async function playLargeTenant(tenant: LargeTenant): Promise<Verdict> {
  const world = new World(tenant.seed);
  const processes = Array.from({ length: PROCESSES }, () => world.process());
  const connections = Array.from(
    { length: tenant.connections },
    (_, number) => new Connection(world, processes, number, tenant.deaths),
  );
  const readers = Array.from({ length: READERS }, () => new Reader(world));
  const [first] = processes as [EventLogDependencies];
  const beginning = (async () => {
    for (let generation = 0; generation < tenant.generation; generation += 1) await grow(first, TENANT, generation);
  })();
  await world.time.run(10_000);
  await beginning;

  const startMs = world.time.nowMs;
  const endMs = startMs + tenant.seconds * 1_000;
  let due = 0;
  const happen = (): void => {
    const second = (world.time.nowMs - startMs) / 1_000;
    for (due += tenant.perSecond(second) / 1_000; due >= 1; due -= 1) world.random.pick(connections).happen();
    if (world.time.nowMs < endMs) world.time.after(1, happen);
  };
  world.time.after(1, happen);
  let settledAtMs = Infinity;
  const isOver = (): boolean => {
    const isTold = world.time.nowMs > endMs && connections.every(({ isIdle }) => isIdle);
    if (isTold && settledAtMs === Infinity) {
      // Places that the dead took, or whose page was throttled, are settled a minute after they were taken.
      settledAtMs = world.time.nowMs + (tenant.deaths > 0 || world.givenUp > 0 ? GAP_PATIENCE_MS * 2 : 0);
    }
    return world.time.nowMs >= settledAtMs;
  };
  let isRead = false;
  const reading = Promise.all(readers.map((reader) => reader.run(isOver))).then(() => {
    isRead = true;
  });
  await world.time.run(endMs + 600_000, () => isRead);
  await reading;
  const directory = readDirectory(first, TENANT);
  await world.time.run(world.time.nowMs + 1_000);
  return {
    told: connections.reduce((sum, { told }) => sum + told, 0),
    read: readers.map(({ read }) => read),
    violations: readers.flatMap(({ violations }) => violations),
    throttled: world.table.throttled,
    givenUp: world.givenUp,
    peaks: world.table.peaks,
    generation: (await directory).generation,
    slowestMs: Math.max(...readers.map(({ slowestMs }) => slowestMs)),
  };
}
