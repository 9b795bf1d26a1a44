import { ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import type { Machine } from './machine.ts';
import type { SeededRandom } from './seededRandom.ts';
import type { VirtualTime } from './virtualTime.ts';

/** Services of AWS as the network knows them. */
export type ServiceName = 'store' | 'queue';

/**
 * What is wrong between a machine and a service. `deaf`: nothing arrives there. `mute`: what is asked is done, and the answer
 * is lost. `refused`: fails at once. `throttled`: the service refuses some.
 */
export type LinkFault = 'deaf' | 'mute' | 'refused' | 'throttled';

/** How slow requests are, now and then. Late ones arrive when their sender has long given up. */
export interface Weather {
  readonly latencyMs: readonly [low: number, high: number];
  /** Share of requests that are late, by up to so much. */
  readonly late: { readonly share: number; readonly upToMs: number };
  /** Share of requests that arrive a second time. */
  readonly duplicated: number;
  /** Share of the entries of batch calls that fail while others are taken. */
  readonly failedEntries: number;
}

export const fairWeather: Weather = {
  latencyMs: [1, 15],
  late: { share: 0, upToMs: 0 },
  duplicated: 0,
  failedEntries: 0,
};

/** One request, as a service meets it. */
export interface Arrival {
  readonly machine: Machine;
  /** When the process made the call, in true time: whatever it checked before, it checked then. */
  readonly issuedAtMs: number;
}

/** Something that happens at one call: it gets what lets the request go on its way. */
export interface Interruption {
  readonly matches: (request: unknown) => boolean;
  /** Happens at every such call, and not at the first one alone. */
  readonly isLasting?: boolean;
  readonly happen: (leave: () => void) => void;
}

/** Applies a request and answers by calling back, at once or later. Throwing is an answer too. */
export type Service = (request: unknown, arrival: Arrival, answer: (apply: () => unknown) => void) => void;

export interface CallOptions {
  readonly deadlineMs: number;
  /** Tries in all, like the SDK's. */
  readonly attempts: number;
  readonly signal: AbortSignal | undefined;
  /** Called before each try. */
  readonly beforeTry?: (() => void) | undefined;
}

/** Carries requests of machines to services. All faults between them are here. */
export class Network {
  weather: Weather = fairWeather;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #faults = new Map<string, LinkFault>();
  /** Machines to which something happens at a call, between having made it and it leaving them. */
  readonly #interrupted = new Map<Machine, Interruption>();

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.#random = random;
  }

  setFault(machine: Machine, service: ServiceName, fault: LinkFault | undefined): void {
    const key = `${machine.name} ${service}`;
    if (fault === undefined) this.#faults.delete(key);
    else this.#faults.set(key, fault);
  }

  /** Lets something happen to a machine at its next call of a kind; undefined takes it back. */
  interrupt(machine: Machine, interruption: Interruption | undefined): void {
    if (interruption === undefined) this.#interrupted.delete(machine);
    else this.#interrupted.set(machine, interruption);
  }

  /** What leaves a machine does so at once, unless something happens in that moment. */
  leave(machine: Machine, request: unknown, go: () => void): void {
    const interruption = this.#interrupted.get(machine);
    if (interruption === undefined || !interruption.matches(request)) {
      go();
      return;
    }
    if (interruption.isLasting !== true) this.#interrupted.delete(machine);
    interruption.happen(go);
  }

  /** Whether an entry of a batch call fails by itself. */
  failsEntry(): boolean {
    return this.weather.failedEntries > 0 && this.#random.chance(this.weather.failedEntries);
  }

  async call(
    machine: Machine,
    name: ServiceName,
    service: Service,
    request: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      options.beforeTry?.();
      try {
        return await this.#try(machine, name, service, request, options);
      } catch (error) {
        if (attempt >= options.attempts || !isWorthARetry(error) || options.signal?.aborted === true) throw error;
        await machine.clock.sleep(this.#random.between(20, 100), options.signal);
      }
    }
  }

  #try(
    machine: Machine,
    name: ServiceName,
    service: Service,
    request: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const arrival: Arrival = { machine, issuedAtMs: this.#time.nowMs };
    const fail = (message: string): void => reject(Object.assign(new Error(message), { name: 'TimeoutError' }));
    const timer = machine.later(options.deadlineMs, () => fail(`${name}: no answer`));
    const onAbort = (): void => fail(`${name}: given up`);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const back = (apply: () => unknown): void => {
      if (this.#faultOf(machine, name) === 'mute') {
        outcomeOf(apply);
        return;
      }
      const outcome = outcomeOf(apply);
      this.#time.after(this.#latencyMs() / 2, () => {
        machine.arrive(() => (outcome.ok ? resolve(outcome.value) : reject(outcome.error)));
      });
    };
    const arrive = (answer: typeof back): void => {
      if (this.#faultOf(machine, name) !== 'deaf') service(request, arrival, answer);
    };
    this.leave(machine, request, () => {
      const fault = this.#faultOf(machine, name);
      if (fault === 'refused') {
        machine.later(1, () => fail(`${name}: connection refused`));
        return;
      }
      if (fault === 'throttled' && this.#random.chance(0.7)) {
        machine.later(5, () => reject(throttled()));
        return;
      }
      const { late, duplicated } = this.weather;
      const delayMs =
        this.#latencyMs() / 2 + (this.#random.chance(late.share) ? this.#random.between(0, late.upToMs) : 0);
      this.#time.after(delayMs, () => arrive(back));
      if (this.#random.chance(duplicated)) {
        this.#time.after(delayMs + this.#random.between(0, 10_000), () => arrive((apply) => void outcomeOf(apply)));
      }
    });
    return promise.finally(() => {
      timer.run = undefined;
      options.signal?.removeEventListener('abort', onAbort);
    });
  }

  #faultOf(machine: Machine, name: ServiceName): LinkFault | undefined {
    return this.#faults.get(`${machine.name} ${name}`);
  }

  #latencyMs(): number {
    return this.#random.between(...this.weather.latencyMs);
  }
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

function outcomeOf(apply: () => unknown): Outcome {
  try {
    return { ok: true, value: apply() };
  } catch (error) {
    return { ok: false, error };
  }
}

function throttled(): Error {
  return new ProvisionedThroughputExceededException({ message: 'slow down', $metadata: {} });
}

function isWorthARetry(error: unknown): boolean {
  return error instanceof Error && ['TimeoutError', 'ProvisionedThroughputExceededException'].includes(error.name);
}
