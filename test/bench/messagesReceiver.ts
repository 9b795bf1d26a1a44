import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One event, as a tenant's receiver sees it. */
export interface SeenEvent {
  readonly id: string;
  readonly type: string;
  readonly connectionId: string;
  /** The id of a message of ours; empty in events about something else. */
  readonly messageId: string;
  readonly status: string;
  /** The text that was received; empty in other events. */
  readonly text: string;
  /** When it came first: milliseconds since 1970, with fractions. */
  readonly atMs: number;
}

interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly connectionId?: string;
  readonly data: {
    readonly messageId?: string;
    readonly status?: string;
    readonly content?: { readonly text?: { readonly body?: string } };
  };
}

export const nowMs = (): number => performance.timeOrigin + performance.now();

/** The receiver of a tenant under load: it keeps what came, and checks signatures once it knows a secret. */
export class MessagesReceiver {
  /** Distinct events since the last `take`, in the order in which they came. */
  #events: SeenEvent[] = [];
  readonly #known = new Set<string>();
  /** When each event came that was begun to wait for. */
  readonly #listeners = new Set<(event: SeenEvent) => void>();
  #secret: Buffer | undefined;
  /** Deliveries of events that had come already. */
  repeats = 0;
  /** Deliveries with a signature that does not fit. */
  forged = 0;
  url = '';
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
      const isGenuine = this.#isGenuine(`${String(id)}.${String(timestamp)}.`, body, String(signature));
      response.writeHead(isGenuine ? 204 : 401).end();
      if (isGenuine) this.#note(JSON.parse(body.toString()) as Envelope);
      else this.forged += 1;
    });
  });

  static async start(): Promise<MessagesReceiver> {
    const receiver = new MessagesReceiver();
    // A sender that keeps connections must not meet one that has just been closed.
    receiver.#server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    receiver.url = `http://127.0.0.1:${(receiver.#server.address() as AddressInfo).port}/events`;
    return receiver;
  }

  /** @param secret of the endpoint, as the API told it */
  trust(secret: string): void {
    this.#secret = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  }

  get events(): readonly SeenEvent[] {
    return this.#events;
  }

  /** The events since the last call; from now on it begins anew. */
  take(): readonly SeenEvent[] {
    const taken = this.#events;
    this.#events = [];
    return taken;
  }

  /** Resolves with an event that fits, one that came already included; rejects after the deadline. */
  next(what: string, fits: (event: SeenEvent) => boolean, withinMs: number): Promise<SeenEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<SeenEvent>();
    const came = this.#events.find(fits);
    if (came !== undefined) return Promise.resolve(came);
    const listener = (event: SeenEvent): void => void (fits(event) && resolve(event));
    this.#listeners.add(listener);
    const timer = setTimeout(() => reject(new Error(`no webhook said ${what}`)), withinMs);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #isGenuine(prefix: string, body: Buffer, signature: string): boolean {
    if (this.#secret === undefined) return true;
    const expected = createHmac('sha256', this.#secret).update(prefix).update(body).digest();
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #note({ id, type, connectionId = '', data }: Envelope): void {
    if (this.#known.has(id)) {
      this.repeats += 1;
      return;
    }
    this.#known.add(id);
    const { messageId = '', status = '', content } = data;
    const event = { id, type, connectionId, messageId, status, text: content?.text?.body ?? '', atMs: nowMs() };
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}
