import type { PasskeyAnswer } from '../../../shared/connection/passkey.ts';
import type { Evidence } from '../../../shared/connection/liveness.ts';
import type { Clock, StopSignal } from '../../../shared/kernel/clock.ts';
import type { ConnectionId, TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Scope } from '../../../shared/kernel/scope.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { ConnectionRecorder, type RecorderDependencies } from '../../../worker/runner/connectionRecorder.ts';
import { ConnectionRunner } from '../../../worker/runner/connectionRunner.ts';
import type { RunnerDependencies, SocketSource } from '../../../worker/runner/runnerDependencies.ts';
import type { StopReason } from '../../../worker/runner/machineTypes.ts';
import type { OwnedConnection } from '../../../worker/fleet/ownedConnection.ts';
import type { ConnectionSocket, SocketInput } from '../../../worker/socket/port/connectionSocket.ts';
import { FakePublisher } from '../sending/fakes.ts';
import { wellEvidence } from '../socket/wellEvidence.ts';
import { aPolicy } from './scripts.ts';

export const owned: OwnedConnection = {
  tenantId: 'tnt_1' as TenantId,
  connectionId: 'con_1' as ConnectionId,
  shard: 0,
  token: 4,
};

/** A clock that moves only when told. Sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  readonly nowMs = (): number => this.#nowMs;
  readonly monotonicMs = (): number => this.#nowMs;
  readonly sleep = (durationMs: number, signal?: StopSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const sleeper = {
        atMs: this.#nowMs + durationMs,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });

  /** Lets time pass, waking each sleeper at its time and letting it act. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const [next] = [...this.#sleepers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      next.wake();
      await settle();
    }
    this.#nowMs = endMs;
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }
}

/** Lets everything that can run now run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

interface OpenedSocket extends ConnectionSocket {
  /** What it shows of its life; a test may change it. */
  shows: Evidence;
  readonly probes: () => number;
  /** The answers to a request for a passkey that it was given. */
  readonly answers: readonly PasskeyAnswer[];
  readonly say: (input: SocketInput) => void;
  readonly letIn: () => void;
  readonly closedAs: readonly ('end' | 'logout')[];
  readonly pairing: boolean;
}

/** Opens sockets that do what the test says, and counts those that are open at once. */
export class FakeSource implements SocketSource {
  readonly opened: OpenedSocket[] = [];
  readonly problems: (Error | 'lost' | 'unlinked')[] = [];
  retired = 0;
  removed = 0;
  retireFailures = 0;
  openNow = 0;
  mostOpen = 0;
  /** Held back until resolved, where a test wants a slow close. */
  closing: Promise<void> = Promise.resolve();

  readonly open: SocketSource['open'] = async ({ generation, pairing, onInput, onLoggedIn }) => {
    const problem = this.problems.shift();
    if (problem instanceof Error) throw problem;
    if (problem !== undefined) return problem;
    const closedAs: ('end' | 'logout')[] = [];
    this.openNow += 1;
    this.mostOpen = Math.max(this.mostOpen, this.openNow);
    const answers: PasskeyAnswer[] = [];
    let probes = 0;
    const socket: OpenedSocket = {
      generation,
      shows: wellEvidence,
      evidence: () => socket.shows,
      probe: () => void (probes += 1),
      probes: () => probes,
      answers,
      answerPasskey: (answer) => void answers.push(answer),
      pairing: pairing !== undefined,
      say: onInput,
      letIn: onLoggedIn,
      closedAs,
      send: async () => ({ outcome: 'unknown' }),
      lookUpsFor: async () => new Set(),
      chatOf: async (to) => to,
      isFirstContact: async () => false,
      mediaHosts: async () => ({ hosts: ['mmg.whatsapp.net'], token: 'token' }),
      ask: async () => ({ outcome: 'not_asked' }),
      askForFile: async () => 'not_asked',
      close: async (kind) => {
        await this.closing;
        if (closedAs.length === 0) this.openNow -= 1;
        closedAs.push(kind);
      },
    };
    this.opened.push(socket);
    return socket;
  };

  readonly remove: SocketSource['remove'] = async () => {
    this.removed += 1;
    return 'removed';
  };

  abandoned = 0;
  readonly abandon = (): void => void (this.abandoned += 1);

  /** What became of devices that were logged out while they were offline. */
  readonly loggedOut: string[] = [];
  logOutOutcome: Awaited<ReturnType<SocketSource['logOut']>> | Error = 'done';
  readonly logOut: SocketSource['logOut'] = async () => {
    this.mostOpen = Math.max(this.mostOpen, this.openNow + 1);
    this.loggedOut.push(String(this.logOutOutcome));
    if (this.logOutOutcome instanceof Error) throw this.logOutOutcome;
    return this.logOutOutcome;
  };

  readonly warm = (): void => undefined;
  prepare: SocketSource['prepare'] = async () => undefined;

  versionRefused = false;
  readonly isVersionRefused = (): boolean => this.versionRefused;

  linked = false;
  readonly isLinked = async (): Promise<boolean> => this.linked;
  readonly retire = async (): Promise<'retired'> => {
    if (this.retireFailures-- > 0) throw new Error('the session store is down');
    this.retired += 1;
    return 'retired';
  };

  get last(): OpenedSocket {
    const socket = this.opened.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }
}

/** Keeps what was written, in order. */
export class FakeRecords {
  readonly written: string[] = [];
  failures = 0;
  answer: 'set' | 'missing' = 'set';

  readonly connections: RecorderDependencies['connections'] = {
    recordStatus: async (_owned, { status, code, nextAttemptAtMs, account }) => {
      if (nextAttemptAtMs !== undefined) this.attempts.push(nextAttemptAtMs);
      const more = account === undefined ? '' : account.now === undefined ? ', no account' : ', account';
      return this.#write(`${status}/${code}${more}`);
    },
    spendPairing: async (_owned, requestId) => this.#write(`spent ${requestId}`),
    recordAccount: async (_owned, account) => this.#write(account === undefined ? 'no account' : 'account'),
  };
  readonly offers: { -readonly [Name in keyof RecorderDependencies['offers']]: RecorderDependencies['offers'][Name] } =
    {
      put: async (_owned, offer) => {
        await this.#write(`offer ${offer.method}`);
        return 'stored';
      },
      remove: async () => {
        await this.#write('no offer');
      },
    };

  /** Times of the next attempts, as the record showed them. */
  readonly attempts: number[] = [];
  readonly kept: string[] = [];
  readonly history: RecorderDependencies['history'] = {
    put: async (_owned, { number, status, code, closeCode }) => {
      this.kept.push(`${number} ${status}/${code}${closeCode === undefined ? '' : ` ${closeCode}`}`);
      return 'stored';
    },
  };

  async #write(line: string): Promise<'set' | 'missing'> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the table is down');
    }
    this.written.push(line);
    return this.answer;
  }
}

/** A runner over fakes. */
export function aRunner(overrides: Partial<RunnerDependencies> = {}) {
  const clock = new FakeClock();
  const source = new FakeSource();
  const records = new FakeRecords();
  const publisher = new FakePublisher();
  const stops: StopReason[] = [];
  const broken: unknown[] = [];
  const sending: string[] = [];
  const turns = { taken: 0, given: 0 };
  const scope = new Scope('runner', clock);
  let facts = 0;
  const random = { ...systemRandom, unit: () => 1 };
  const recorder = new ConnectionRecorder({
    owned,
    connections: records.connections,
    offers: records.offers,
    history: records.history,
    publisher,
    assertOpen: () => undefined,
    clock,
    random: systemRandom,
    logger: silentLogger,
    settleMs: 5_000,
    shown: { status: 'unpaired', code: 'never_paired', sinceMs: 0, transitions: 0 },
    nextFactNumber: () => (facts += 1),
    onLost: () => runner.deliver({ type: 'ownership_lost' }),
  });
  const runner: ConnectionRunner = new ConnectionRunner({
    policy: () => aPolicy,
    readOwnership: async () => 'owned',
    openedAtMs: undefined,
    clock,
    random,
    logger: silentLogger,
    sockets: source,
    scope,
    recorder,
    sending: {
      allow: () => void sending.push('allow'),
      finish: async () => void sending.push('finish'),
      failAll: async () => void sending.push('fail all'),
    },
    takeTurn: async () => {
      turns.taken += 1;
      return () => void (turns.given += 1);
    },
    onStopped: (reason) => void stops.push(reason),
    onBroken: (error) => void broken.push(error),
    ...overrides,
  });
  const published = (): readonly string[] =>
    publisher.facts.flatMap((fact) => (fact.kind === 'status' ? [`${fact.status}/${fact.code}`] : []));
  return { runner, scope, clock, source, records, publisher, published, stops, broken, sending, turns };
}
