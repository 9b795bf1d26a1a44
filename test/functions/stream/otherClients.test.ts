import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { EventSource } from 'eventsource';
import { createEventSource } from 'eventsource-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StreamStage, untilSo, type StreamProcess } from './streamStage.ts';

/** A place through which clients reach a process, and at which their connections are cut. */
async function startCutter(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, cut, stop };
}

/** A client that somebody else wrote, which connects again by itself. */
interface OtherClient {
  readonly close: () => void;
}

type Open = (url: string, key: string, seen: (id: string) => void) => OtherClient;

const clients: readonly (readonly [string, Open])[] = [
  [
    'eventsource',
    (url, key, seen) => {
      const authorised: typeof fetch = (input, init) =>
        fetch(input, { ...init, headers: { ...(init?.headers as object), authorization: `Bearer ${key}` } });
      const source = new EventSource(url, { fetch: authorised });
      source.addEventListener('message.received', ({ data }) => seen((JSON.parse(String(data)) as { id: string }).id));
      return source;
    },
  ],
  [
    'eventsource-client',
    (url, key, seen) =>
      createEventSource({
        url,
        headers: { authorization: `Bearer ${key}` },
        onMessage: ({ event, data }) => {
          if (event === 'message.received') seen((JSON.parse(data) as { id: string }).id);
        },
      }),
  ],
];

describe('clients of streams that others wrote', () => {
  let stage: StreamStage;
  let process: StreamProcess;
  beforeAll(async () => {
    stage = await StreamStage.start();
    process = await stage.process();
  });
  afterAll(async () => {
    await process.stop();
    await stage.stop();
  });

  it.each(clients)(
    '%s goes on behind the last event after each cut: none is missing, and none comes twice',
    async (_name, open) => {
      const other = await stage.tenant();
      const cutter = await startCutter(Number(new URL(process.url).port));
      const seen: string[] = [];
      await stage.receive(other, 3);
      const url = `http://127.0.0.1:${cutter.port}/v1/events/stream?from=oldest&types=message.received`;
      const client = open(url, other.key, (id) => seen.push(id));
      await untilSo('the first events', () => seen.length === 3);

      for (let cuts = 1; cuts <= 3; cuts += 1) {
        cutter.cut();
        // What happens while the client is away comes when it is back, and then it is cut off in the middle of more.
        await stage.receive(other, 10);
        await untilSo('some of what came meanwhile', () => seen.length > 3 + (cuts - 1) * 20);
        await stage.receive(other, 10);
      }
      const logged = await stage.logged(other, '&types=message.received');
      await untilSo('the last event', () => seen.includes(logged.at(-1) ?? ''));
      client.close();
      await cutter.stop();

      expect(logged).toHaveLength(63);
      expect(seen).toEqual(logged);
    },
  );
});
