import { askingAt, origins, rpId, whatsApp } from './built.ts';
import { failed, readOptions, readOutcome, type Outcome } from './messages.ts';

/**
 * The part in the middle: it takes a request from a pairing page, opens a window on WhatsApp's origin in which the person is asked, and gives
 * what comes of it back to that page alone. It keeps nothing: one request is under way at most, and ends with its page or its window.
 */
interface Request {
  readonly page: ExtensionPort;
  readonly from: string;
  readonly options: object;
  windowId: number | undefined;
  tabId: number | undefined;
  hasBegun: boolean;
}

const WITHIN_MS = 300_000;
const SIZE = { width: 480, height: 560 } as const;
let now: Request | undefined;

chrome.runtime.onConnect.addListener((port) => {
  if (port.name === 'page') port.onMessage.addListener((message) => take(port, message));
  else if (port.name === 'window') ask(port);
});

/** Takes a request from a page. Who it is, the browser says. */
function take(page: ExtensionPort, message: unknown): void {
  const from = page.sender?.origin ?? '';
  if (!origins.includes(from) || typeof message !== 'object' || message === null || !('options' in message)) return;
  if (now !== undefined) return page.postMessage(failed('busy'));
  const options = readOptions(message.options, rpId);
  if (typeof options === 'string') return page.postMessage(failed(options));
  const request: Request = { page, from, options, windowId: undefined, tabId: undefined, hasBegun: false };
  now = request;
  // A page that goes, or gives up, takes its request with it.
  page.onDisconnect.addListener(() => end(request));
  setTimeout(() => end(request, failed('timeout')), WITHIN_MS);
  void open(request);
}

async function open(request: Request): Promise<void> {
  try {
    const made = await chrome.windows.create({ url: askingAt, type: 'popup', ...SIZE });
    request.windowId = made?.id;
    request.tabId = made?.tabs?.[0]?.id;
    if (now !== request) end(request);
  } catch {
    end(request, failed('unsupported'));
  }
}

/** Asks the person, in the window that was opened for the request and in no other one. */
function ask(port: ExtensionPort): void {
  const request = now;
  const tabId = port.sender?.tab?.id;
  if (request === undefined || request.hasBegun || tabId === undefined || port.sender?.origin !== whatsApp) return;
  // The window may speak before its opener is told of it.
  if (request.tabId !== undefined && request.tabId !== tabId) return;
  request.hasBegun = true;
  port.onMessage.addListener((message) => {
    const outcome = readOutcome(message);
    if (outcome !== undefined) end(request, outcome);
  });
  port.onDisconnect.addListener(() => end(request, failed('cancelled')));
  port.postMessage({ options: request.options, from: request.from });
}

/** Ends a request once: its page is told, and its window closed. */
function end(request: Request, outcome?: Outcome): void {
  if (now === request) {
    now = undefined;
    if (outcome !== undefined) request.page.postMessage(outcome);
  }
  const { windowId } = request;
  request.windowId = undefined;
  // One that the person has closed is not there any more.
  if (windowId !== undefined) chrome.windows.remove(windowId).catch(() => undefined);
}
