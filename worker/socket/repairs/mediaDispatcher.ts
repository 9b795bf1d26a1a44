import { Agent, DecoratorHandler, type Dispatcher } from 'undici';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';

type Handler = Dispatcher.DispatchHandler;

/** Ends a request that is not over in time, however much of its answer trickles in. */
function boundWhole(given: Handler, deadlineMs: number): Handler {
  // It talks to handlers of both of undici's kinds: Node's own `fetch` still makes the older ones.
  const inner: Handler = new DecoratorHandler(given);
  let timer: NodeJS.Timeout | undefined;
  return {
    onRequestStart: (controller, context) => {
      clearTimeout(timer);
      const error = new TimeoutError('a download of media', deadlineMs);
      timer = setTimeout(() => controller.abort(error), deadlineMs);
      inner.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...given) => inner.onRequestUpgrade?.(...given),
    onResponseStart: (...given) => inner.onResponseStart?.(...given),
    onResponseData: (...given) => inner.onResponseData?.(...given),
    onResponseEnd: (...given) => {
      clearTimeout(timer);
      inner.onResponseEnd?.(...given);
    },
    onResponseError: (...given) => {
      clearTimeout(timer);
      inner.onResponseError?.(...given);
    },
  };
}

/**
 * The dispatcher by which Baileys downloads media, app state and history. Baileys sets no deadline of its own and holds
 * the account's lock meanwhile, so a host that stops answering would make the connection deaf. The process has one, as
 * it shares its network connections.
 */
export function makeMediaDispatcher(
  deadlineMs: number = deadlines.mediaDownload.ms,
  headersMs: number = deadlines.mediaHeaders.ms,
): Dispatcher {
  return new Agent({
    connect: { timeout: headersMs },
    headersTimeout: headersMs,
    bodyTimeout: deadlineMs,
  }).compose((dispatch) => (options, handler) => dispatch(options, boundWhole(handler, deadlineMs)));
}

export const mediaDispatcher = makeMediaDispatcher();
