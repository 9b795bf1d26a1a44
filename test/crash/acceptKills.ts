import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../shared/connection/connection.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { WINDOW_MS } from '../../shared/message/windowNotes.ts';
import { keyOfNewTenant } from '../shared/identity/keyOfNewTenant.ts';
import { startAcceptWorld, type AcceptWorld } from '../shared/message/acceptWorld.ts';
import { AcceptFiles, textOf } from './acceptFiles.ts';
import { FunctionsLife } from './acceptLives.ts';
import { moments, type FaultPlan } from './portWatch.ts';

/** How a message is accepted by the process that is killed. */
export interface Accepting {
  /** The Idempotency-Key, with which the caller then asks twice more. */
  readonly key: string | undefined;
  /** Whether the process has accepted a message of this window before, so that the row needs no note. */
  readonly isNoted: boolean;
  /** The message is a file: one that was used before, or one whose last part was uploaded a moment ago, which accept finds out. */
  readonly file?: 'known' | 'just uploaded';
}

/** What became of one kill: what the phone saw and what the rows say, when all is over. */
export interface Outcome {
  readonly isDead: boolean;
  readonly sent: readonly string[];
  readonly states: readonly (string | undefined)[];
  /** Status and id of the repeated requests. */
  readonly repeats: readonly string[];
}

/** A tenant with one connection. */
interface Caller {
  readonly connection: Connection;
  readonly connectionId: string;
  readonly apiKey: string;
}

/** The time after which reconcile has come to a window that begins now: whole windows, so that each run has as many to do. */
const COME_TO_MS = 5 * WINDOW_MS;
/** So that what was put into a queue before the clock is moved has an earlier time than the move. */
const TICK_MS = 3;

/**
 * Kills of the functions' process at the calls of accept and of reconcile. One process accepts and is killed; another
 * has its repeats and reconcile; the stores, the queue and the outbox that works it are the same throughout.
 */
export class AcceptKills {
  readonly #world: AcceptWorld;
  readonly #files: AcceptFiles;
  readonly #survivor: FunctionsLife;
  readonly #spares: Promise<FunctionsLife>[] = [];
  /** The call of accept that puts the command into the queue, once it was recorded. */
  #enqueues: string | undefined;

  private constructor(world: AcceptWorld, files: AcceptFiles, survivor: FunctionsLife) {
    [this.#world, this.#files, this.#survivor] = [world, files, survivor];
  }

  static async start(): Promise<AcceptKills> {
    const world = await startAcceptWorld();
    const files = await AcceptFiles.start(world.core.table);
    const kills = new AcceptKills(world, files, await FunctionsLife.start({ ...world.reach, objects: files.config }));
    await kills.#reconcileAll();
    return kills;
  }

  async stop(): Promise<void> {
    const spares = await Promise.all(this.#spares);
    await Promise.all([...spares, this.#survivor].map((life) => life.kill()));
    await Promise.all([this.#world.stop(), this.#files.stop()]);
  }

  /** The calls of accepting one message. */
  async recordAccept(how: Accepting): Promise<readonly string[]> {
    const life = await this.#nextLife();
    const tenant = await this.#aTenant();
    const content = await this.#files.contentOf(tenant.connection.tenantId, how.file, 'hello');
    await this.#warm(life, tenant, how);
    await life.arm(this.#world.clock.nowMs());
    const answer = await life.send({ ...tenant, content, key: how.key });
    if (answer?.status !== 202) throw new Error(`not accepted without a kill: ${answer?.status}`);
    const calls = await life.calls();
    await life.kill();
    return calls;
  }

  /** Kills a process while it accepts. @param plan none for a process that is not killed */
  async playAccept(how: Accepting, plan?: FaultPlan): Promise<Outcome> {
    const life = await this.#nextLife();
    const tenant = await this.#aTenant();
    const content = await this.#files.contentOf(tenant.connection.tenantId, how.file, 'hello');
    await this.#warm(life, tenant, how);
    await life.arm(this.#world.clock.nowMs(), plan);
    const answer = await life.send({ ...tenant, content, key: how.key });
    if (answer !== undefined) await life.kill();
    const repeats: string[] = [];
    for (let request = 0; how.key !== undefined && request < 2; request += 1) {
      await this.#survivor.arm(this.#world.clock.nowMs());
      const again = await this.#survivor.send({ ...tenant, content, key: how.key });
      repeats.push(`${again?.status} ${again?.id}`);
    }
    await this.#reconcileAll();
    const shown = how.file === undefined ? 'hello' : 'document';
    const outcome = await this.#outcomeOf(tenant.connection, shown, how.isNoted ? 1 : 0);
    return { isDead: answer === undefined, repeats, ...outcome };
  }

  /** Kills a process before and after each call of accepting one message. Returns how many calls there are, and what was wrong. */
  async playAll(how: Accepting): Promise<{ readonly calls: number; readonly problems: readonly string[] }> {
    const calls = await this.recordAccept(how);
    const problems: string[] = [];
    for (const plan of plansOf(calls)) {
      const found = problemsOf(await this.playAccept(how, plan), how);
      problems.push(...found.map((problem) => `${nameOf(plan)}: ${problem}`));
    }
    return { calls: calls.length, problems };
  }

  /** The calls of one run of reconcile that finds a message which was never in the queue. */
  async recordReconcile(): Promise<readonly string[]> {
    await this.#aMessageWithoutCommand();
    await this.#advance();
    await this.#survivor.reconcile(this.#world.clock.nowMs());
    return this.#survivor.calls();
  }

  /** Kills a process while it reconciles; another runs after it. */
  async playReconcile(plan: FaultPlan): Promise<Outcome> {
    const { connection } = await this.#aMessageWithoutCommand();
    await this.#advance();
    const life = await this.#nextLife();
    const isDead = !(await life.reconcile(this.#world.clock.nowMs(), plan));
    if (!isDead) await life.kill();
    await this.#survivor.reconcile(this.#world.clock.nowMs());
    return { isDead, repeats: [], ...(await this.#outcomeOf(connection, 'hello', 0)) };
  }

  async #aMessageWithoutCommand(): Promise<Caller> {
    this.#enqueues ??= pointsOf(await this.recordAccept({ key: undefined, isNoted: false })).queue;
    await this.#reconcileAll();
    const tenant = await this.#aTenant();
    const life = await this.#nextLife();
    await life.arm(this.#world.clock.nowMs(), { call: this.#enqueues, when: 'before' });
    await life.send({ ...tenant, content: textOf('hello') });
    return tenant;
  }

  async #outcomeOf(connection: Connection, text: string, earlier: number): Promise<Pick<Outcome, 'sent' | 'states'>> {
    const sent = await this.#world.work(connection);
    return {
      sent: sent.filter((each) => each === text),
      states: (await this.#world.statesOf(connection)).slice(earlier),
    };
  }

  async #warm(life: FunctionsLife, tenant: Caller, { isNoted }: Accepting): Promise<void> {
    if (!isNoted) return;
    await life.arm(this.#world.clock.nowMs());
    await life.send({ ...tenant, content: textOf('earlier') });
    this.#world.clock.advance(1);
  }

  async #aTenant(): Promise<Caller> {
    const { core, clock } = this.#world;
    const connection = await core.aConnection();
    const identity = { table: core.table, stage: 'test', clock, random: systemRandom };
    const apiKey = await keyOfNewTenant(identity, connection.tenantId);
    return { connection, connectionId: connection.connectionId, apiKey };
  }

  /** Lets so much time pass that reconcile comes to what was accepted by now, and runs it. */
  async #reconcileAll(): Promise<void> {
    await this.#advance();
    await this.#survivor.reconcile(this.#world.clock.nowMs());
  }

  async #advance(): Promise<void> {
    await sleep(TICK_MS);
    this.#world.clock.advance(COME_TO_MS);
  }

  /** A process that may begin. The next one starts to load. */
  async #nextLife(): Promise<FunctionsLife> {
    while (this.#spares.length < 2)
      this.#spares.push(FunctionsLife.start({ ...this.#world.reach, objects: this.#files.config }));
    const next = this.#spares.shift();
    this.#spares.push(FunctionsLife.start({ ...this.#world.reach, objects: this.#files.config }));
    if (next === undefined) throw new Error('no process was started');
    return next;
  }
}

/** The two calls of accept that matter, among those that were recorded. */
function pointsOf(calls: readonly string[]): { readonly row: string; readonly queue: string } {
  const row = calls.findLast((call) => /^store (?:Put|TransactWrite) /.test(call));
  const queue = calls.findLast((call) => call.startsWith('queue Send'));
  if (row === undefined || queue === undefined)
    throw new Error(`these are not the calls of accept: ${calls.join(', ')}`);
  return { row, queue };
}

/** Every point of some calls. */
export function plansOf(calls: readonly string[]): readonly FaultPlan[] {
  return calls.flatMap((call) => moments.map((when) => ({ call, when })));
}

/**
 * What is wrong with an outcome. Without a key the caller does not know, and asks no more: the message was sent once, or
 * is ended as one that never was in the queue, or was never there. With a key the repeats bring it about, once.
 */
function problemsOf(outcome: Outcome, { key }: Accepting): readonly string[] {
  const { isDead, sent, states, repeats } = outcome;
  const told = JSON.stringify(outcome);
  const allowed = key === undefined ? ['0 ', '0 failed/not_enqueued', '1 sent'] : ['1 sent'];
  const isSame =
    key === undefined || (repeats.every((each) => each.startsWith('202 msg_')) && new Set(repeats).size === 1);
  return [
    ...(isDead ? [] : [`it did not die: ${told}`]),
    ...(allowed.includes(`${sent.length} ${states.join(' ')}`) ? [] : [`lost, doubled or left: ${told}`]),
    ...(isSame ? [] : [`the repeats differ: ${told}`]),
  ];
}

/** A plan as it is shown. */
export function nameOf({ call, when }: FaultPlan): string {
  return `${when} ${call}`;
}
