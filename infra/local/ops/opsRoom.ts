import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticate } from '../../../functions/http/authentication.ts';
import { isFromElsewhere, pathOf, targetOf } from '../steadyServer.ts';
import type { DashboardFigures } from './figures.ts';
import { MINUTES_KEPT } from './metricStore.ts';

/**
 * What the local page needs. The figures come from the logs of this machine's processes, so the page is for operators.
 */
export interface OpsRoomOptions {
  /** Finds the figures of so many minutes. */
  readonly figures: (minutes: number) => Promise<readonly DashboardFigures[]>;
  readonly nowMs: () => number;
  /** The check of the operators' function: the page asks for the operator key and sends it with each request. */
  readonly authenticate: Authenticate;
}

const MINUTES_SHOWN = 60;
const assets: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/ops': ['page.html', 'text/html; charset=utf-8'],
  '/ops/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/ops/chart.js': ['chart.js', 'text/javascript; charset=utf-8'],
  '/ops/tables.js': ['tables.js', 'text/javascript; charset=utf-8'],
  '/ops/page.css': ['page.css', 'text/css; charset=utf-8'],
};

/**
 * Headers by which nothing from another server is loaded, nobody can frame the page, and no other origin can read it.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Makes the function that answers `/ops` and the paths below it. That function returns whether the request was one of
 * those.
 */
export function makeOpsRoom(options: OpsRoomOptions): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const path = pathOf(request);
    if (path !== '/ops' && !path.startsWith('/ops/')) return false;
    request.resume();
    const refusal = refuse(request);
    if (refusal !== undefined) {
      send(response, refusal.status, 'text/plain; charset=utf-8', refusal.sentence);
      return true;
    }
    const asset = Object.hasOwn(assets, path) ? assets[path] : undefined;
    if (asset !== undefined) {
      const [file, type] = asset;
      send(response, 200, type, readFileSync(new URL(file, import.meta.url)));
      return true;
    }
    if (path !== '/ops/metrics.json') {
      send(response, 404, 'text/plain; charset=utf-8', 'There is no such page.');
      return true;
    }
    void answerMetrics(options, request, response).catch(() => {
      send(response, 503, 'text/plain; charset=utf-8', 'The figures could not be read. Try again.');
    });
    return true;
  };
}

/**
 * Refuses a request under a name that leads to this machine but is not its own: it may come from a page of somebody
 * else's (DNS rebinding).
 */
function refuse(request: IncomingMessage): { readonly status: number; readonly sentence: string } | undefined {
  if (isFromElsewhere(request)) return { status: 403, sentence: 'Open this page as http://127.0.0.1.' };
  const { method } = request;
  return method === 'GET' || method === 'HEAD' ? undefined : { status: 405, sentence: 'This can only be read.' };
}

async function answerMetrics(
  { figures, nowMs, authenticate }: OpsRoomOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const principal = await authenticate(request.headers.authorization).catch(() => undefined);
  if (principal?.role !== 'operator') {
    send(response, principal === undefined ? 401 : 403, 'text/plain; charset=utf-8', 'This takes the operator key.');
    return;
  }
  const minutes = readMinutes(new URLSearchParams(targetOf(request).split('?')[1]).getAll('minutes'));
  if (minutes === undefined) {
    const sentence = `minutes must be one whole number from 1 to ${MINUTES_KEPT}.`;
    send(response, 400, 'text/plain; charset=utf-8', sentence);
    return;
  }
  const atMs = nowMs();
  const dashboards = await figures(minutes);
  send(response, 200, 'application/json', JSON.stringify({ at: new Date(atMs).toISOString(), minutes, dashboards }));
}

function readMinutes([text, ...more]: readonly string[]): number | undefined {
  if (text === undefined) return MINUTES_SHOWN;
  if (more.length > 0 || !/^\d{1,3}$/.test(text)) return undefined;
  const minutes = Number(text);
  return minutes >= 1 && minutes <= MINUTES_KEPT ? minutes : undefined;
}

function send(response: ServerResponse, status: number, type: string, content: string | Buffer): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type });
  response.end(content);
}
