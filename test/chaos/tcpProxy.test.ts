import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import { TcpProxy } from './tcpProxy.ts';

/** A client with everything that it heard. */
interface Caller {
  readonly socket: Socket;
  readonly heard: () => string;
}

describe('TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  /** What the server received, over all connections. */
  let received = '';
  const open: Socket[] = [];
  beforeEach(async () => {
    received = '';
    echo = createServer((socket) => {
      open.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        received += data.toString();
        socket.write(data);
      });
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await TcpProxy.start({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
  });
  afterEach(async () => {
    await proxy.stop();
    for (const socket of open.splice(0)) socket.destroy();
    echo.close();
    await once(echo, 'close');
  });

  const call = async (): Promise<Caller> => {
    const socket = connect(proxy.port, '127.0.0.1');
    open.push(socket);
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString()));
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return { socket, heard: () => text };
  };
  /** Resolves at the close, also after an error, which `once` would throw. */
  const closeOf = ({ socket }: Caller) => new Promise((resolve) => socket.once('close', resolve));
  const hears = (caller: Caller, text: string) => until(text, caller.heard, (heard) => heard === text);
  /** A request and its answer, through a second proxy: by then, whatever could have moved has moved. */
  const aRoundTrip = async (): Promise<void> => {
    const other = await TcpProxy.start({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
    const socket = connect(other.port, '127.0.0.1');
    socket.write('ping');
    await once(socket, 'data');
    socket.destroy();
    await other.stop();
    received = received.replace('ping', '');
  };

  it('carries both ways, and the end of one side to the other', async () => {
    const caller = await call();
    caller.socket.write('hello');
    await hears(caller, 'hello');

    const closed = closeOf(caller);
    caller.socket.end(' and bye');
    await closed;

    expect([received, caller.heard()]).toEqual(['hello and bye', 'hello and bye']);
  });

  it('when refused, resets what was open and takes nothing new, until it is open again', async () => {
    const caller = await call();
    const closed = closeOf(caller);

    await proxy.set('refused');
    await closed;
    await expect(call()).rejects.toThrow('ECONNREFUSED');
    await proxy.set('open');
    const next = await call();
    next.socket.write('back');

    await hears(next, 'back');
  });

  it('when reset, resets what was open and what comes, and counts it', async () => {
    const sinceMs = Date.now();
    const before = await call();
    await proxy.set('reset');
    await closeOf(before);

    const during = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
    await new Promise((resolve) => during.once('close', resolve));
    await proxy.set('open');
    const after = await call();
    after.socket.write('again');

    await hears(after, 'again');
    expect(proxy.attemptsSince(sinceMs)).toHaveLength(3);
  });

  it('when silent, accepts and answers nothing, and delivers what was held when it is open again', async () => {
    const old = await call();
    old.socket.write('a');
    await hears(old, 'a');

    await proxy.set('silent');
    const young = await call();
    old.socket.write('b');
    young.socket.write('c');
    await aRoundTrip();
    const heardWhileSilent = [old.heard(), young.heard(), received];
    await proxy.set('open');

    await hears(old, 'ab');
    await hears(young, 'c');
    expect(heardWhileSilent).toEqual(['a', '', 'a']);
  });

  it('delivers a request late whose caller gave up while it was silent', async () => {
    await proxy.set('silent');
    const caller = await call();
    caller.socket.end('late');
    await once(caller.socket, 'finish');
    caller.socket.destroy();
    await proxy.set('open');

    await until(
      'the late request',
      () => received,
      (text) => text === 'late',
    );
  });

  it('goes from silent to refused and back', async () => {
    await proxy.set('silent');
    const caller = await call();
    const closed = closeOf(caller);
    await proxy.set('refused');
    await closed;
    await proxy.set('silent');
    await proxy.set('open');
    const next = await call();
    next.socket.write('again');

    await hears(next, 'again');
  });
});
