import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { judgeOutcome } from '../../../shared/webhook/attempt.ts';
import { makeWebhookPoster } from '../../../shared/webhook/postWebhook.ts';

const TIMEOUT_MS = 1_500;
const OK = 'HTTP/1.1 200 OK\r\n';
type Answer = (socket: Socket) => void;

/** Writes the same bytes again and again, as fast as the other side takes them. */
const forEver =
  (first: string, again: string): Answer =>
  (socket) => {
    socket.write(first);
    // In large pieces: many small ones would keep this process, which is the sender's too, from doing anything else.
    const piece = again.repeat(Math.ceil(65_536 / again.length));
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
      if (!socket.destroyed) socket.once('drain', more);
    };
    more();
  };
const slowly =
  (first: string, again: string): Answer =>
  (socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(again), 20);
    socket.on('close', () => clearInterval(timer));
  };
const once =
  (text: string): Answer =>
  (socket) =>
    void socket.write(text);
const andClose =
  (text: string, how: 'end' | 'reset'): Answer =>
  (socket) =>
    socket.write(text, () => (how === 'end' ? socket.end() : socket.resetAndDestroy()));

describe('a receiver that does not behave', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  });

  /** A server of bytes; it also counts the connections that are open. */
  const aReceiver = async (answer: Answer): Promise<{ readonly url: string; readonly open: ReadonlySet<Socket> }> => {
    const open = new Set<Socket>();
    const server: Server = createServer((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket)).on('error', () => undefined);
      socket.once('data', () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, open };
  };
  const aPoster = () => {
    const poster = makeWebhookPoster({
      guard: new AddressGuard({ resolve: systemResolve, allowLoopback: true }),
      clock: systemClock,
      timeoutMs: TIMEOUT_MS,
    });
    cleanups.push(poster.close);
    return poster;
  };

  it.each<[string, Answer]>([
    ['whose body never ends', once(`${OK}content-length: 5\r\n\r\nab`)],
    ['whose body has no end at all', forEver(`${OK}transfer-encoding: chunked\r\n\r\n`, '4\r\nabcd\r\n')],
    ['that sends a byte now and then', slowly(`${OK}transfer-encoding: chunked\r\n\r\n`, '1\r\na\r\n')],
    ['whose chunks are none', once(`${OK}transfer-encoding: chunked\r\n\r\nnot a chunk\r\n`)],
    ['whose chunks are none, after a valid one', once(`${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n`)],
    ['that closes in the middle of the body', andClose(`${OK}content-length: 9\r\n\r\nab`, 'end')],
    ['that resets in the middle of the body', andClose(`${OK}content-length: 9\r\n\r\nab`, 'reset')],
    ['that closes right after the headers', andClose(`${OK}content-length: 9\r\n\r\n`, 'end')],
    ['whose trailers have no end', forEver(`${OK}transfer-encoding: chunked\r\n\r\n0\r\n`, 'a: b\r\n')],
    ['of HTTP/1.0', andClose('HTTP/1.0 200 OK\r\n\r\nok', 'end')],
    ['of HTTP/1.0 that keeps the connection', once('HTTP/1.0 200 OK\r\n\r\nok')],
    ['that says 103 first', once(`HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${OK}content-length: 0\r\n\r\n`)],
    ['that says more than it announced', once(`${OK}content-length: 1\r\n\r\nabcdef`)],
  ])('has taken the event: 200 %s', async (_what, answer) => {
    const receiver = await aReceiver(answer);

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 200 });
    expect(judgeOutcome(outcome)).toBe('delivered');
    expect(outcome.durationMs).toBeLessThan(TIMEOUT_MS);
  });

  it('loses its connection when its body does not end', async () => {
    const receiver = await aReceiver(once(`${OK}content-length: 5\r\n\r\nab`));

    await aPoster().post(receiver.url, {}, '{}');

    await expect.poll(() => receiver.open.size).toBe(0);
  });

  it.each<[string, Answer, string]>([
    ['says nothing', () => undefined, 'timed_out'],
    ['sends its headers slowly', slowly(OK, 'a: b\r\n'), 'timed_out'],
    ['sends a status line and no more', once(OK), 'timed_out'],
    ['sends headers without end', forEver(OK, `x: ${'a'.repeat(1_000)}\r\n`), 'UND_ERR_HEADERS_OVERFLOW'],
    ['sends one header without end', forEver(`${OK}x: `, 'a'.repeat(1_000)), 'UND_ERR_HEADERS_OVERFLOW'],
    [
      'sends interim answers without end',
      forEver('', 'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n'),
      'TOO_MANY_INTERIM_ANSWERS',
    ],
    ['sends 100 where nothing waits for it', once('HTTP/1.1 100 Continue\r\n\r\n'), 'UND_ERR_SOCKET'],
    [
      'wants another protocol',
      once('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      'UND_ERR_SOCKET',
    ],
    ['speaks no HTTP', once('SSH-2.0-OpenSSH_9.6\r\n'), 'HTTPParserError'],
    ['speaks garbage', once('\u0000\u0001\u0002\u0003'), 'HTTPParserError'],
    ['has a status that is none', once('HTTP/1.1 abc OK\r\n\r\n'), 'HTTPParserError'],
    ['closes without a word', andClose('', 'end'), 'UND_ERR_SOCKET'],
    ['resets without a word', andClose('', 'reset'), 'ECONNRESET'],
    ['closes within its headers', andClose(`${OK}a: b`, 'end'), 'UND_ERR_SOCKET'],
  ])('has not taken the event, and the reason is named, when it %s', async (_what, answer, reason) => {
    const receiver = await aReceiver(answer);

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome.outcome === 'unreachable' ? outcome.reason : outcome.outcome).toBe(reason);
    expect(judgeOutcome(outcome)).toBe('failed');
    expect(outcome.durationMs).toBeLessThan(TIMEOUT_MS * 3);
  });

  it.each<[string, number, string, number]>([
    ['seconds', 429, '60', 60_000],
    ['seconds of one that is not available', 503, '5', 5_000],
    ['no time at all', 429, 'soon', 0],
    ['a time that is over', 429, 'Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['a time beyond reason', 429, '99999999999', 11 * 3_600_000],
    ['a negative time', 429, '-5', 0],
    ['seconds with another status', 500, '60', 0],
  ])('is asked again when it wants: %s', async (_what, status, header, waitMs) => {
    const head = `HTTP/1.1 ${status} No\r\nretry-after: ${header}\r\ncontent-length: 0\r\n\r\n`;
    const receiver = await aReceiver(once(head));

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: status, retryAfterMs: waitMs });
  });

  it('is asked again at the date it names', async () => {
    const at = new Date(Date.now() + 90_000).toUTCString();
    const receiver = await aReceiver(once(`HTTP/1.1 503 No\r\nRetry-After: ${at}\r\ncontent-length: 0\r\n\r\n`));

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    const waitMs = outcome.outcome === 'answered' ? outcome.retryAfterMs : 0;
    expect(waitMs).toBeGreaterThan(60_000);
    expect(waitMs).toBeLessThanOrEqual(90_000);
  });
});
