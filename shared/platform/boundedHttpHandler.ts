import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';

type Request = Parameters<NodeHttpHandler['handle']>[0];
type Options = NonNullable<Parameters<NodeHttpHandler['handle']>[1]>;
type Response = ReturnType<NodeHttpHandler['handle']>;

/**
 * The SDK's HTTP handler for Node, whose requests can be ended from outside: its own time-out ends with the head of an
 * answer, so that an answer which trickles in could last for ever.
 */
export class BoundedHttpHandler extends NodeHttpHandler {
  /** The pools of kept-alive connections, which end with `destroy`. */
  readonly agents: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };
  readonly #signals = new WeakMap<object, AbortSignal>();

  constructor(options: NodeHttpHandlerOptions & BoundedHttpHandler['agents']) {
    super(options);
    const { httpAgent, httpsAgent } = options;
    this.agents = { httpAgent, httpsAgent };
  }

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
