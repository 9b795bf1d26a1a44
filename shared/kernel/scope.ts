import { Stop, systemClock, type Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';

/**
 * The kinds of resources that a scope counts. `scope` is a child scope that is open; `other` is work that ends with its
 * owner.
 */
export const resourceKinds = ['timer', 'listener', 'socket', 'stream', 'process', 'scope', 'other'] as const;
export type ResourceKind = (typeof resourceKinds)[number];
export type ResourceCounts = Readonly<Record<ResourceKind, number>>;

/** Ends one resource before its scope does. Calling it again does nothing. */
export type Release = () => void | Promise<void>;

/** An object with listeners: an emitter of Node, or of a library that types its events. */
export interface Emitter {
  on(event: never, listener: never): unknown;
  off(event: never, listener: never): unknown;
}

interface Held {
  readonly kind: ResourceKind;
  readonly release: Release;
}

/** How long a release may take, in milliseconds; then it is given up, so that the others have their turn. */
const RELEASE_DEADLINE_MS = 10_000;

/**
 * Owns timers, listeners, sockets, streams and child processes, and releases the remaining ones when it closes: nothing
 * can outlive its owner by being forgotten on one of the ways out. Scopes form a tree, so that the counts of its root
 * show a leak anywhere. A resource that is registered after the close is released at once: a timer never fires, a
 * listener is never added.
 */
export class Scope implements AsyncDisposable {
  readonly name: string;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #parent: Scope | undefined;
  readonly #held = new Set<Held>();
  readonly #children = new Set<Scope>();
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;

  /**
   * A scope, which is a child where a parent is given.
   * @param clock the clock that the timers go by
   */
  constructor(name: string, clock: Pick<Clock, 'sleep'> = systemClock, parent?: Scope) {
    this.name = name;
    this.#clock = clock;
    this.#parent = parent;
  }

  /** Aborts when the scope begins to close, before anything is released. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get isClosed(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Calls `work` once, `delayMs` from now. */
  timeout(delayMs: number, work: () => void): Release {
    const stop = new Stop();
    const held = this.#add('timer', () => stop.abort());
    void this.#clock.sleep(delayMs, stop).then(() => {
      if (stop.aborted) return;
      this.#held.delete(held);
      work();
    });
    return this.#releaseOf(held);
  }

  /**
   * Calls `work` again and again, each time `everyMs` after the last call has ended. `work` must not throw or reject.
   */
  interval(everyMs: number, work: () => void | Promise<void>): Release {
    const stop = new Stop();
    const held = this.#add('timer', () => stop.abort());
    const repeat = async (): Promise<void> => {
      for (;;) {
        await this.#clock.sleep(everyMs, stop);
        if (stop.aborted) return;
        await work();
      }
    };
    void repeat();
    return this.#releaseOf(held);
  }

  /** Adds a listener until it is released. */
  listen(emitter: Emitter, event: string, listener: (...args: never[]) => unknown): Release {
    if (this.isClosed) return () => undefined;
    emitter.on(event as never, listener as never);
    return this.#releaseOf(this.#add('listener', () => void emitter.off(event as never, listener as never)));
  }

  /**
   * Registers a resource that other code has made. Its release may also be called once the resource has ended by
   * itself.
   */
  hold(kind: Exclude<ResourceKind, 'scope'>, release: Release): Release {
    return this.#releaseOf(this.#add(kind, release));
  }

  /** Makes a scope that closes with this one, or before. */
  child(name: string): Scope {
    const child = new Scope(name, this.#clock, this);
    if (this.isClosed) child.#ending.abort();
    else this.#children.add(child);
    return child;
  }

  /** The resources that are open here and in all scopes below. */
  counts(): ResourceCounts {
    const counts = Object.fromEntries(resourceKinds.map((kind) => [kind, 0])) as Record<ResourceKind, number>;
    this.#count(counts);
    return counts;
  }

  /**
   * Releases everything: timers at once, here and below, so that nothing begins meanwhile; then the scopes below, and
   * then the resources of this scope, each newest first. A release that fails or takes too long does not prevent the
   * others. Resolves when all had their turn, and rejects then with the failures. Calling it again waits for the same
   * end.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#end();
    // The platform's own stack of disposables goes on past a failure and reports all failures in one error.
    const stack = new AsyncDisposableStack();
    for (const held of this.#held) stack.defer(async () => this.#releaseOf(held)());
    for (const child of this.#children) stack.defer(() => child.close());
    await stack.disposeAsync().finally(() => this.#forget());
  }

  #forget(): void {
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
  }

  /** Ends the timers and aborts the signal: nothing begins from here on. */
  #end(): void {
    this.#ending.abort();
    for (const child of this.#children) child.#end();
    for (const held of this.#held) if (held.kind === 'timer') void this.#releaseOf(held)();
  }

  #add(kind: ResourceKind, release: Release): Held {
    const held: Held = { kind, release };
    this.#held.add(held);
    if (this.isClosed) void this.#releaseOf(held)();
    return held;
  }

  #releaseOf(held: Held): Release {
    return () => {
      if (!this.#held.delete(held)) return undefined;
      const released = held.release();
      if (released === undefined) return undefined;
      return withDeadline(`releasing a ${held.kind} of ${this.name}`, RELEASE_DEADLINE_MS, () => released, this.#clock);
    };
  }

  #count(counts: Record<ResourceKind, number>): void {
    for (const { kind } of this.#held) counts[kind] += 1;
    counts.scope += this.#children.size;
    for (const child of this.#children) child.#count(counts);
  }
}
