/**
 * The part on pairing pages: it says that the extension is there, and hands requests on. It runs on the origins that the extension was built
 * for, and hears the page's own window alone.
 */
const PROTOCOL = 1;
/** Chrome ends the part in the middle when it hears nothing for 30 seconds. */
const AWAKE_EVERY_MS = 20_000;
/** The port of the request that is under way. */
let port: ExtensionPort | undefined;

document.documentElement.dataset['holdfastExtension'] = String(PROTOCOL);

addEventListener('message', ({ source, origin, data }: MessageEvent<unknown>) => {
  if (source !== window || origin !== location.origin) return;
  if (typeof data !== 'object' || data === null || !('holdfast' in data) || data.holdfast !== PROTOCOL) return;
  if (!('id' in data) || typeof data.id !== 'string' || data.id.length > 64 || !('type' in data)) return;
  if (data.type === 'passkey.cancel') stop();
  else if (data.type === 'passkey.sign' && 'options' in data) sign(data.id, data.options);
});

function sign(id: string, options: unknown): void {
  stop();
  const mine = chrome.runtime.connect({ name: 'page' });
  port = mine;
  const tell = (message: object): void => window.postMessage({ holdfast: PROTOCOL, ...message, id }, location.origin);
  const awake = setInterval(() => mine.postMessage({}), AWAKE_EVERY_MS);
  mine.onMessage.addListener((outcome) => {
    tell(outcome as object);
    if (port === mine) stop();
    clearInterval(awake);
  });
  mine.onDisconnect.addListener(() => {
    clearInterval(awake);
    if (port !== mine) return;
    port = undefined;
    tell({ type: 'passkey.failed', code: 'cancelled', message: 'The extension was stopped.' });
  });
  mine.postMessage({ options });
  tell({ type: 'passkey.progress', state: 'asking' });
}

/** Gives up what is under way: the part in the middle hears that the port is gone. */
function stop(): void {
  const before = port;
  port = undefined;
  before?.disconnect();
}
