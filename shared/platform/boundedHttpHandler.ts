import { NodeHttpHandler } from '@smithy/node-http-handler';

type Request = Parameters<NodeHttpHandler['handle']>[0];
type Options = NonNullable<Parameters<NodeHttpHandler['handle']>[1]>;
type Response = ReturnType<NodeHttpHandler['handle']>;

/**
 * The SDK's HTTP handler for Node, whose requests can be ended from outside: its own time-out ends with the head of an
 * answer, so that an answer which trickles in could last for ever.
 */
export class BoundedHttpHandler extends NodeHttpHandler {
  readonly #signals = new WeakMap<object, AbortSignal>();

  /** Binds a request to a signal: it ends when the signal aborts, its answer included. */
  bind(request: object, signal: AbortSignal): void {
    this.#signals.set(request, signal);
  }

  override handle(request: Request, options: Options = {}): Response {
    const ours = this.#signals.get(request);
    if (ours === undefined) return super.handle(request, options);
    const theirs = options.abortSignal as AbortSignal | undefined;
    return super.handle(request, {
      ...options,
      abortSignal: theirs === undefined ? ours : AbortSignal.any([ours, theirs]),
    });
  }
}
