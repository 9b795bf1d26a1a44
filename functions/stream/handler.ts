import { LRUCache } from 'lru-cache';
import { parseCursor, type ReaderPlace } from '../../shared/event/eventCursor.ts';
import type { EventFilter } from '../../shared/event/eventFilter.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { newestPlace, oldestPlace } from '../../shared/event/readEvents.ts';
import type { StreamPlaces } from '../../shared/event/streamPlaces.ts';
import { useStreamTicket } from '../../shared/event/streamTickets.ts';
import { assertActive, findStanding } from '../../shared/identity/standing.ts';
import { isTenantKeyOpen } from '../../shared/identity/tenantKeys.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import {
  makeId,
  parseCorrelationId,
  type ApiKeyId,
  type CorrelationId,
  type TenantId,
} from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { z } from 'zod';
import { authorize, type Authenticate } from '../http/authentication.ts';
import { checkInput } from '../http/checkInput.ts';
import { toAppError, toProblem } from '../http/problem.ts';
import type { Answer } from '../http/route.ts';
import type { Feeds } from './feeds.ts';
import { endStream, runStream, type StreamControl, type StreamOutput } from './runStream.ts';
import { StreamReader } from './streamReader.ts';
import { streamQuery } from './streamRoute.ts';

export interface StreamDependencies extends EventLogDependencies, Surroundings {
  readonly authenticate: Authenticate;
  readonly places: StreamPlaces;
  /** The most streams of a tenant. */
  readonly mostOf: (tenantId: TenantId) => Promise<number>;
  readonly feeds: Feeds;
  /** The most streams of this process. */
  readonly mostStreams: number;
  /** How long a stream lasts at most, in milliseconds. */
  readonly lastsMs: number;
}

export interface StreamRequest {
  readonly rawQueryString: string;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The address of the client. */
  readonly address: string;
}

export type Opened =
  | { readonly outcome: 'refused'; readonly answer: Answer; readonly correlationId: CorrelationId }
  | {
      readonly outcome: 'opened';
      readonly headers: Readonly<Record<string, string>>;
      /** Tells events until the stream ends. Never rejects. */
      readonly run: (output: StreamOutput) => Promise<void>;
      /** Called when the client has gone, also in the middle of a wait. */
      readonly leave: () => void;
    };

/** The reader of a stream, and what of the log is told. */
interface Reader {
  readonly tenantId: TenantId;
  readonly filters: readonly EventFilter[];
  readonly isStillOpen: () => Promise<boolean>;
}

/** How long it is remembered whether the key of a ticket opens anything, in milliseconds, and of how many. */
const KEY_REMEMBERED_MS = 5_000;
const REMEMBERED_KEYS = 10_000;

/** The streams of one process. */
export class EventStreams {
  readonly #dependencies: StreamDependencies;
  readonly #open = new Set<StreamControl>();
  readonly #keys = new LRUCache<ApiKeyId, boolean>({ max: REMEMBERED_KEYS, ttl: KEY_REMEMBERED_MS });
  #isDraining = false;

  constructor(dependencies: StreamDependencies) {
    this.#dependencies = dependencies;
  }

  /** The number of streams that are open in this process. */
  get count(): number {
    return this.#open.size;
  }

  /** Ends all streams: each tells its client to come again. No further one is opened. */
  drain(): void {
    this.#isDraining = true;
    for (const control of this.#open) endStream(control, 'draining');
  }

  /** Opens a stream, or says why not. Never rejects. */
  async open(request: StreamRequest): Promise<Opened> {
    const { clock, random, logger } = this.#dependencies;
    const given = parseCorrelationId(request.headers['x-correlation-id']);
    const correlationId = given ?? makeId('cor', clock.nowMs(), random);
    try {
      return await this.#tryOpen(request, correlationId);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'internal_error') logger.error('stream could not be opened', { correlationId, error });
      else logger.info('stream refused', { correlationId, code: error.code });
      return { outcome: 'refused', answer: toProblem(error, correlationId), correlationId };
    }
  }

  async #tryOpen({ rawQueryString, headers, address }: StreamRequest, correlationId: CorrelationId): Promise<Opened> {
    const { places, mostStreams, mostOf, feeds } = this.#dependencies;
    if (this.#isDraining || this.#open.size >= mostStreams) {
      throw new AppError('too_many_readers', { detail: PROCESS_IS_FULL, retryAfterSeconds: 1 });
    }
    const query = checkInput(streamQuery, parametersOf(rawQueryString), 'query') as z.infer<typeof streamQuery>;
    const { tenantId, filters, isStillOpen } = await this.#findReader(query, headers['authorization'], address);
    const after = headers['last-event-id'] || query.after;
    const from = await this.#placeOf(tenantId, after, query.from);
    const most = await mostOf(tenantId);
    const place = await places.take(tenantId, most);
    if (place === undefined) {
      throw new AppError('too_many_readers', tooMany(most));
    }
    const control: StreamControl = { ending: this.#isDraining ? 'draining' : undefined, wait: undefined };
    this.#open.add(control);
    const reader = new StreamReader(this.#dependencies, feeds, {
      tenantId,
      from,
      filters,
      isResumed: after !== undefined,
    });
    const fields = { tenantId, correlationId };
    return {
      outcome: 'opened',
      headers: { ...STREAM_HEADERS, 'x-correlation-id': correlationId },
      leave: () => endStream(control, 'gone'),
      run: async (output) => {
        const { clock, logger, metrics, lastsMs } = this.#dependencies;
        const startedMs = clock.monotonicMs();
        const told = (): void => metrics.gauge('StreamClients', this.#open.size, {});
        const { lookEveryMs } = feeds;
        const parts = { clock, logger, reader, places, place, lookEveryMs, lastsMs, isStillOpen, told, fields };
        told();
        const reason = await runStream(parts, control, output);
        reader.end();
        this.#open.delete(control);
        told();
        metrics.count('StreamsEnded', { reason });
        const durationMs = Math.round(clock.monotonicMs() - startedMs);
        logger.info('stream ended', { ...fields, reason, events: reader.told, durationMs });
        await places.release(place).catch((error: unknown) => {
          logger.warn('place of a stream could not be given back', { ...fields, error });
        });
      },
    };
  }

  async #findReader(
    { ticket, ...filter }: z.infer<typeof streamQuery>,
    authorization: string | undefined,
    address: string,
  ): Promise<Reader> {
    const { authenticate } = this.#dependencies;
    if (ticket === undefined) {
      const limited = { scope: 'events:read', connectionId: filter.connectionId, address } as const;
      const tenantId = authorize(await authenticate(authorization, address), 'tenant', limited) as TenantId;
      const isStillOpen = (): Promise<boolean> => authenticate(authorization).then(() => true, isAnswered);
      return { tenantId, filters: [filter], isStillOpen };
    }
    const holder = await useStreamTicket(this.#dependencies, ticket);
    if (holder === undefined) throw new AppError('ticket_invalid');
    const { tenantId, keyId } = holder;
    const isKeyOpen = async (): Promise<boolean> => keyId === undefined || this.#isKeyOpen({ tenantId, keyId });
    assertActive(await findStanding(this.#dependencies, tenantId));
    if (!(await isKeyOpen())) throw new AppError('ticket_invalid');
    const isStillOpen = async (): Promise<boolean> =>
      (await isKeyOpen()) && (await findStanding(this.#dependencies, tenantId))?.state === 'active';
    return { tenantId, filters: [filter, holder.filter], isStillOpen };
  }

  /** Whether the key of a ticket opens anything: one read for all of its streams, remembered for a few seconds. */
  async #isKeyOpen(key: Parameters<typeof isTenantKeyOpen>[1]): Promise<boolean> {
    const known = this.#keys.get(key.keyId);
    if (known !== undefined) return known;
    const isOpen = await isTenantKeyOpen(this.#dependencies, key);
    this.#keys.set(key.keyId, isOpen);
    return isOpen;
  }

  #placeOf(
    tenantId: TenantId,
    after: string | undefined,
    from: 'now' | 'oldest' | undefined,
  ): Promise<ReaderPlace> | ReaderPlace {
    if (after !== undefined) return parseCursor(tenantId, after);
    return from === 'oldest' ? oldestPlace(this.#dependencies, tenantId) : newestPlace(this.#dependencies, tenantId);
  }
}

const PROCESS_IS_FULL =
  'This process has as many streams as it takes, or is being replaced. Connect again in a moment.';
/** What is said to who may have no more streams; where there may be none there is no time to come again. */
const tooMany = (most: number): { readonly detail: string; readonly retryAfterSeconds?: number } =>
  most === 0
    ? { detail: 'This tenant may have no streams. Ask the operator for more.' }
    : {
        detail: `This tenant may have ${most} streams at once. Connect again when one has ended.`,
        retryAfterSeconds: 10,
      };

/** What says of a key that it opens nothing. */
const REFUSALS: ReadonlySet<string> = new Set(['unauthorized', 'tenant_suspended', 'tenant_deleted']);

/** Reads an error of the look at a key: a refusal says that it opens nothing, and anything else says nothing. */
function isAnswered(error: unknown): boolean {
  if (error instanceof AppError && REFUSALS.has(error.code)) return false;
  throw error;
}

/** `x-accel-buffering` tells proxies of the nginx family to pass each event on at once. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'access-control-allow-origin': '*',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
} as const;

function parametersOf(rawQueryString: string): Readonly<Record<string, string>> {
  const pairs = [...new URLSearchParams(rawQueryString)];
  const twice = pairs.map(([name]) => name).filter((name, at, names) => names.indexOf(name) !== at);
  if (twice.length > 0) {
    throw new AppError('invalid_request', { fields: [{ field: `?${twice[0]}`, problem: 'is given twice' }] });
  }
  return Object.fromEntries(pairs);
}
