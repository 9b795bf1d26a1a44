/** A queue of the emulator, as far as its long polls are concerned. */
interface WaitingQueue {
  pollWaiters: { readonly resolve: () => void; readonly timer: NodeJS.Timeout }[];
  pollTimer: NodeJS.Timeout | undefined;
  readonly messages: readonly unknown[];
  readonly isFifo: () => boolean;
  readonly hasAvailableFifoMessages: () => boolean;
  readonly processTimers: () => void;
  notifyWaiters: () => void;
  startPollTimerIfNeeded: () => void;
}

/** How often a queue with long polls looks for messages whose time has come: delays and visibility end in whole seconds. */
const LOOK_EVERY_MS = 100;

/**
 * Lets one long poll after another have what is there. The emulator wakes all of them for each message: the first takes
 * all, the others answer with nothing and are asked again at once. Here the messages of one turn of the event loop are
 * seen together, one poll is woken for up to ten of them, and the next only if some are left.
 * @param prototype of the class of queues
 */
export function wakeInTurns(prototype: object): void {
  const queues = prototype as WaitingQueue;
  const woken = new WeakSet<WaitingQueue>();
  queues.notifyWaiters = function notifyWaiters(this: WaitingQueue): void {
    if (woken.has(this) || this.pollWaiters.length === 0) return;
    woken.add(this);
    setImmediate(() => {
      woken.delete(this);
      const hasSome = this.isFifo() ? this.hasAvailableFifoMessages() : this.messages.length > 0;
      const waiter = hasSome ? this.pollWaiters.shift() : undefined;
      if (waiter === undefined) return;
      clearTimeout(waiter.timer);
      waiter.resolve();
      this.notifyWaiters();
    });
  };
  queues.startPollTimerIfNeeded = function startPollTimerIfNeeded(this: WaitingQueue): void {
    this.pollTimer ??= setInterval(() => this.processTimers(), LOOK_EVERY_MS);
  };
}
