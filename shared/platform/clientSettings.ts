import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { BoundedHttpHandler } from './boundedHttpHandler.ts';
import type { CallBounds } from './callGuards.ts';
import type { StoreConfig } from './config.ts';

const IDLE_SOCKET_MS = 30_000;
/** Of a call's time, for one try: one that hangs on a dead connection leaves time for another on a new one. */
const TRY_SHARE = 0.6;
const TRIES = 3;

/** A bounded pool of kept-alive sockets with deadlines that are enforced: without the flag the SDK only warns. */
export function makeHandler(sockets: number, { tryMs }: CallBounds): BoundedHttpHandler {
  const pool = { keepAlive: true, maxSockets: sockets, timeout: Math.max(IDLE_SOCKET_MS, tryMs) };
  return new BoundedHttpHandler({
    connectionTimeout: tryMs,
    requestTimeout: tryMs,
    throwOnRequestTimeout: true,
    httpAgent: new HttpAgent(pool),
    httpsAgent: new HttpsAgent(pool),
  });
}

/** What every SDK client is made with. */
export function clientSettings(
  config: StoreConfig,
  endpoint: string | undefined,
  requestHandler: BoundedHttpHandler,
  { attempts }: CallBounds,
) {
  return {
    region: config.region,
    maxAttempts: attempts,
    requestHandler,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
  };
}

/** A store call: 5 s in all by default, at most 3 s a try. */
export function storeBounds({ storeTimeoutMs }: StoreConfig): CallBounds {
  return { callMs: storeTimeoutMs, tryMs: Math.ceil(storeTimeoutMs * TRY_SHARE), attempts: TRIES };
}
