import { composeStreams, type StreamOptions } from '../../../functions/stream/composition.ts';
import type { EventStreams } from '../../../functions/stream/handler.ts';
import { startStreamServer } from '../../../functions/stream/streamServer.ts';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { ConnectionId, TenantId } from '../../../shared/kernel/id.ts';
import type { StoreConfig } from '../../../shared/platform/storeConfig.ts';
import { someContent } from '../../shared/content/someContent.ts';
import { aBatch, aMessageFact } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { until } from '../../whatsapp/until.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';
import { StreamClient } from './streamClient.ts';

/** How often a batch comes again, as the queue of facts gives it. */
const MOST_AGAIN = 5;

export interface StreamTenant {
  readonly tenantId: TenantId;
  readonly key: string;
  readonly connectionId: ConnectionId;
}

/** A process that serves streams: real sockets in front, and the emulators behind. */
export interface StreamProcess {
  readonly url: string;
  readonly streams: EventStreams;
  readonly stop: () => Promise<void>;
}

/** The API with its stores, and processes that serve streams of its log. */
export class StreamStage {
  readonly api: ApiStack;
  /** How a process finds the stores. */
  readonly config: StoreConfig;
  #recorded = 0;

  private constructor(api: ApiStack, config: StoreConfig) {
    this.api = api;
    this.config = config;
  }

  static async start(): Promise<StreamStage> {
    const seen: StoreConfig[] = [];
    const api = await ApiStack.start((direct) => {
      seen.push(direct);
      return Promise.resolve({});
    });
    const [config] = seen;
    if (config === undefined) throw new Error('the stack has a configuration');
    return new StreamStage(api, config);
  }

  stop(): Promise<void> {
    return this.api.stop();
  }

  async tenant(): Promise<StreamTenant> {
    const tenant = await this.api.tenant();
    return { ...tenant, connectionId: await this.api.connection(tenant, anAccount) };
  }

  async process(options: StreamOptions = {}): Promise<StreamProcess> {
    const streams = composeStreams(this.config, { lookEveryMs: 50, ...options });
    const server = await startStreamServer(streams, systemClock, { host: '127.0.0.1', port: 0 });
    return {
      url: `http://127.0.0.1:${server.port}/v1/events/stream`,
      streams,
      stop: server.drain,
    };
  }

  open(process: Pick<StreamProcess, 'url'>, { key }: StreamTenant, query = '', lastId?: string): Promise<StreamClient> {
    return StreamClient.open(`${process.url}?${query}`, {
      authorization: `Bearer ${key}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    });
  }

  /** Records messages that have come, each an event. */
  async receive(
    { tenantId, connectionId }: StreamTenant,
    count: number,
    { chat, body }: { readonly chat?: string; readonly body?: string } = {},
  ): Promise<void> {
    this.#recorded += 1;
    const nowMs = Date.now();
    const facts = Array.from({ length: count }, (_, index) =>
      aMessageFact({
        ...(chat === undefined ? {} : { chat }),
        ...(body === undefined ? {} : { content: someContent(body) }),
        atMs: nowMs,
        receivedAtMs: nowMs + index,
      }),
    );
    const batch = aBatch({ tenantId, connectionId }, facts, `stream-${this.#recorded}`);
    await this.#record(batch, 0);
  }

  /** Records a batch; one that a store did not take in time comes again, as it would from its queue. */
  async #record(batch: FactBatch, again: number): Promise<void> {
    try {
      await recordFacts(this.api.dependencies, batch);
    } catch (error) {
      if (again === MOST_AGAIN) throw error;
      await this.#record(batch, again + 1);
    }
  }

  /** The ids of all events of a tenant, as the log has them. */
  async logged({ key }: StreamTenant, query = ''): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let after = ''; ;) {
      const { body } = await this.api.call('GET', `/v1/events?limit=100${query}${after}`, { key });
      ids.push(...(body['data'] as { readonly id: string }[]).map(({ id }) => id));
      if (body['hasMore'] !== true) return ids;
      after = `&after=${String(body['next'])}`;
    }
  }
}

/** Waits until something is so. */
export async function untilSo(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  await until(what, isSo, Boolean);
}
