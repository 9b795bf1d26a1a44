import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One event as a tenant's receiver sees it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly connectionId: string;
  readonly correlationId: string;
  readonly data: Record<string, unknown>;
  readonly atMs: number;
}

export interface WebhookReceiver {
  readonly url: string;
  /** Distinct events, in the order in which they first came. */
  readonly events: readonly ReceivedEvent[];
  /** The number of deliveries of events that had come already. */
  readonly repeats: () => number;
  /** The number of deliveries whose signature did not fit. */
  readonly forged: () => number;
  readonly trust: (secret: string) => void;
  readonly stop: () => Promise<void>;
}

/** A tenant's receiver: it checks each signature as Standard Webhooks says, with code of its own and not with ours. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const events: ReceivedEvent[] = [];
  let secret = Buffer.alloc(0);
  let repeats = 0;
  let forged = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
      const expected = createHmac('sha256', secret)
        .update(`${String(id)}.${String(timestamp)}.${body}`)
        .digest();
      const given = Buffer.from(String(signature).replace(/^v1,/, ''), 'base64');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        forged += 1;
        response.writeHead(401).end();
        return;
      }
      const event = JSON.parse(body) as Omit<ReceivedEvent, 'atMs'>;
      if (events.some((known) => known.id === event.id)) repeats += 1;
      else events.push({ ...event, atMs: Date.now() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    events,
    repeats: () => repeats,
    forged: () => forged,
    trust: (text) => {
      secret = Buffer.from(text.replace(/^whsec_/, ''), 'base64');
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
