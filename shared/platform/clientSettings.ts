import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { BoundedHttpHandler } from './boundedHttpHandler.ts';
import type { CallBounds } from './callGuards.ts';
import type { StoreConfig } from './storeConfig.ts';

const IDLE_SOCKET_MS = 30_000;
/**
 * The share of a call's time that one try may take: a try that hangs on a dead network connection leaves time for
 * another on a new one.
 */
const TRY_SHARE = 0.6;
const TRIES = 3;

/** Makes a bounded pool of kept-alive sockets with deadlines that are enforced: without the flag the SDK only warns. */
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

/** The settings with which every SDK client is made. */
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

/** The bounds of a store call: 5 s in all by default, at most 3 s a try. */
export function storeBounds({ storeTimeoutMs }: StoreConfig): CallBounds {
  return { callMs: storeTimeoutMs, tryMs: Math.ceil(storeTimeoutMs * TRY_SHARE), attempts: TRIES };
}
