import type { SigningEnd } from './screen.ts';

/**
 * The browser extension that has a request for a passkey signed on WhatsApp's own origin, as the page reaches it: by messages within the
 * page's window, which both sides take from this window and this origin alone. Its content script says that it is there.
 */
export function hasExtension(): boolean {
  return document.documentElement.dataset['holdfastExtension'] === '1';
}

/** No request of WhatsApp lives longer; an extension that is well ends it after half of that. */
const WITHIN_MS = 600_000;

/** What comes back of a request. */
interface Answer {
  readonly holdfast: 1;
  readonly type: string;
  readonly id: string;
  readonly assertion?: object;
  readonly code?: string;
}

/**
 * Has a request signed. Resolves to the assertion, or to why there is none; never rejects.
 * @param given ends the wait, for a request that is no longer out
 */
export function signByExtension(options: object, given: AbortSignal): Promise<object | SigningEnd> {
  const signal = AbortSignal.any([given, AbortSignal.timeout(WITHIN_MS)]);
  const id = crypto.randomUUID();
  const tell = (message: object): void => window.postMessage({ holdfast: 1, id, ...message }, location.origin);
  return new Promise((resolve) => {
    const end = (what: object | SigningEnd): void => {
      removeEventListener('message', hear);
      resolve(what);
    };
    const hear = ({ source, origin, data }: MessageEvent<unknown>): void => {
      if (source !== window || origin !== location.origin || !isAnswer(data) || data.id !== id) return;
      if (data.type === 'passkey.signed' && data.assertion !== undefined) end(data.assertion);
      else if (data.type === 'passkey.failed')
        end(data.code === 'refused' || data.code === 'cancelled' ? 'refused' : 'failed');
    };
    addEventListener('message', hear);
    signal.addEventListener('abort', () => {
      tell({ type: 'passkey.cancel' });
      end('failed');
    });
    tell({ type: 'passkey.sign', options });
  });
}

function isAnswer(data: unknown): data is Answer {
  return typeof data === 'object' && data !== null && 'holdfast' in data && data.holdfast === 1 && 'id' in data;
}
