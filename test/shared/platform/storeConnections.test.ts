import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../../shared/platform/httpAnswer.ts';
import { StoreConnections, type StoreExchange } from '../../../shared/platform/storeConnections.ts';
import { askStore } from '../../../shared/platform/storeRequest.ts';
import { until } from '../../whatsapp/until.ts';
import { makeCertificate } from '../webhook/certificate.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Service {
  readonly port: number;
  /** Connections that are open on the server's side. */
  readonly open: () => number;
  /** Connections that were ever opened. */
  readonly opened: () => number;
  readonly asked: readonly string[];
}

/** A server that does this with each request that it has read. */
async function aService(answer: (socket: Socket, request: string) => void, server?: Server): Promise<Service> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  let opened = 0;
  const serve = (socket: Socket): void => {
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      asked.push(bytes.toString('utf8'));
      answer(socket, bytes.toString('utf8'));
    });
  };
  const listening = server ?? createServer();
  listening.on(server === undefined ? 'connection' : 'secureConnection', serve);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listening.close(resolve));
  });
  return { port: (listening.address() as AddressInfo).port, open: () => sockets.size, opened: () => opened, asked };
}

const saying = (text: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const echo = (socket: Socket, request: string): void => void socket.write(saying(request));

function connectionsTo({ port }: { readonly port: number }, more: Partial<Options> = {}): StoreConnections {
  const { most = 2, idleMs = 60_000, ...address } = more;
  const connections = new StoreConnections(
    { isSecure: false, hostname: '127.0.0.1', port, ...address },
    { most, idleMs },
  );
  cleanups.push(() => connections.close());
  return connections;
}
type Options = ConstructorParameters<typeof StoreConnections>[0] & ConstructorParameters<typeof StoreConnections>[1];

function ask(connections: StoreConnections, text: string): { exchange: StoreExchange; answer: Promise<HttpAnswer> } {
  const { promise: answer, resolve: onAnswer, reject: onError } = Promise.withResolvers<HttpAnswer>();
  const exchange = { text, onBegin: () => undefined, onHead: () => undefined, onAnswer, onError };
  connections.ask(exchange);
  return { exchange, answer };
}

const textOf = async (connections: StoreConnections, text: string): Promise<string> =>
  (await ask(connections, text).answer).text;

describe('connections to a service', () => {
  it('are used again, one request after the other', async () => {
    const service = await aService(echo);
    const connections = connectionsTo(service);

    const texts = [
      await textOf(connections, 'one'),
      await textOf(connections, 'käse'),
      await textOf(connections, 'three'),
    ];

    expect(texts).toEqual(['one', 'käse', 'three']);
    expect(service.opened()).toBe(1);
  });

  it('are never more than allowed: what comes meanwhile waits for its turn, and each gets its own answer', async () => {
    const service = await aService((socket, request) => setTimeout(() => echo(socket, request), 5));
    const connections = connectionsTo(service);
    const wanted = Array.from({ length: 12 }, (_, place) => `request ${place}`);

    const texts = await Promise.all(wanted.map((text) => textOf(connections, text)));

    expect(texts).toEqual(wanted);
    expect(service.opened()).toBe(2);
    expect(new Set(service.asked)).toEqual(new Set(wanted));
  });

  it('leave a request that had to wait for one its whole time to be answered', async () => {
    const headMs = 1_000;
    let isFirst = true;
    const service = await aService((socket, request) => {
      setTimeout(() => echo(socket, request), isFirst ? headMs + 300 : 0);
      isFirst = false;
    });
    const connections = connectionsTo(service, { most: 1 });
    const first = textOf(connections, 'first');

    const second = await askStore({ connections, headers: {}, body: 'second', headMs, signals: [] });

    expect(await first).toBe('first');
    expect(second.text).toContain('second');
  });

  it('are closed when their request is given up, and one that waits takes the place', async () => {
    const service = await aService((socket, request) => request === 'hangs' || echo(socket, request));
    const connections = connectionsTo(service, { most: 1 });
    const hangs = ask(connections, 'hangs');
    const waits = ask(connections, 'given up before its turn');
    const next = textOf(connections, 'next');
    await until(
      'the request',
      () => service.asked.length,
      (asked) => asked === 1,
      20_000,
    );

    connections.giveUp(waits.exchange);
    connections.giveUp(hangs.exchange);

    expect(await next).toBe('next');
    expect(service.asked).toEqual(['hangs', 'next']);
    await until('the end of the other', service.open, (open) => open === 1, 20_000);
  });

  it.each([
    ['it is closed before an answer', (socket: Socket) => socket.end(), 'ECONNRESET'],
    ['it is cut before an answer', (socket: Socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['it is closed within an answer', (socket: Socket) => socket.end(saying('half').slice(0, -1)), 'ECONNRESET'],
    ['it says what is no answer', (socket: Socket) => socket.write('SSH-2.0-OpenSSH\r\n\r\n'), 'EPROTO'],
  ])('fail their request, and the next one has another: %s', async (_name, breakOff, code) => {
    const service = await aService((socket, request) =>
      request === 'breaks' ? breakOff(socket) : echo(socket, request),
    );
    const connections = connectionsTo(service);

    await expect(ask(connections, 'breaks').answer).rejects.toMatchObject({ code });

    expect(await textOf(connections, 'next')).toBe('next');
    expect(service.opened()).toBe(2);
  });

  it('are not used again when anything comes that was not asked for', async () => {
    const service = await aService((socket, request) => {
      echo(socket, request);
      if (request === 'one') setTimeout(() => socket.write(saying('an answer to nothing')), 20);
    });
    const connections = connectionsTo(service);

    expect(await textOf(connections, 'one')).toBe('one');
    await until('the end of it', service.open, (open) => open === 0, 20_000);

    expect(await textOf(connections, 'two')).toBe('two');
  });

  it('are not used again when an answer comes before its request has left', async () => {
    const service = await aService((socket) => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    });
    const connections = connectionsTo(service);

    const { status } = await ask(connections, 'x'.repeat(20_000_000)).answer;

    expect(status).toBe(413);
    await expect(ask(connections, 'next').answer).resolves.toMatchObject({ status: 413 });
    expect(service.opened()).toBe(2);
  });

  it('end when the other side ends them, and after a time without a request', async () => {
    const server = createHttpServer({ keepAlive: true, keepAliveTimeout: 20 }, (_request, response) =>
      response.end('{}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const service = await aService(echo);
    const theirs = connectionsTo(server.address() as AddressInfo);
    const ours = connectionsTo(service, { idleMs: 30 });
    const post = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';

    expect([await textOf(theirs, post), await textOf(ours, 'one')]).toEqual(['{}', 'one']);
    const openThere = (): Promise<number> =>
      new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    await until('the end of ours', service.open, (open) => open === 0, 20_000);
    await until('the end of theirs', openThere, (open) => open === 0, 20_000);

    expect([await textOf(theirs, post), await textOf(ours, 'two')]).toEqual(['{}', 'two']);
  });

  it('end before the other side would end them, if it says when', async () => {
    const service = await aService((socket, request) => {
      socket.write(saying(request).replace('\r\n', '\r\nKeep-Alive: timeout=1, max=100\r\n'));
    });
    const connections = connectionsTo(service);

    expect(await textOf(connections, 'one')).toBe('one');

    await until('the end of it', service.open, (open) => open === 0, 20_000);
    expect(await textOf(connections, 'two')).toBe('two');
  });

  it('fail all requests when they are closed, also those that come later', async () => {
    const service = await aService(() => undefined);
    const connections = connectionsTo(service, { most: 1 });
    const answers = [ask(connections, 'asked').answer, ask(connections, 'waits').answer];

    connections.close();

    answers.push(ask(connections, 'late').answer);
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('are secret over TLS with whom the certificate names, and with nobody else', async () => {
    const { cert, key } = makeCertificate();
    const service = await aService(echo, createTlsServer({ cert, key }));
    const trusted = connectionsTo(service, { isSecure: true, hostname: 'localhost', authorities: [cert] });
    const byAddress = connectionsTo(service, { isSecure: true, authorities: [cert] });
    const distrusted = connectionsTo(service, { isSecure: true, hostname: 'localhost' });

    expect(await textOf(trusted, 'one')).toBe('one');
    expect(await textOf(byAddress, 'two')).toBe('two');
    await expect(ask(distrusted, 'three').answer).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(service.asked).toEqual(['one', 'two']);
  });

  it('make a short handshake when they were there before', async () => {
    const { cert, key } = makeCertificate();
    const resumed: boolean[] = [];
    const server = createTlsServer({ cert, key });
    server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    const service = await aService((socket, request) => {
      socket.end(saying(request).replace('\r\n', '\r\nconnection: close\r\n'));
    }, server);
    const connections = connectionsTo(service, { isSecure: true, hostname: 'localhost', authorities: [cert] });

    await textOf(connections, 'one');
    await textOf(connections, 'two');

    expect(resumed).toEqual([false, true]);
  });
});
