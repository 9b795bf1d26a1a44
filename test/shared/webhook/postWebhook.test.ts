import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { AddressGuard, type ResolvedAddress } from '../../../shared/platform/addressGuard.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { until } from '../../whatsapp/until.ts';
import { makeCertificate } from './certificate.ts';
import { startReceiver, type Receiver } from './receiver.ts';

const LOOPBACK: readonly ResolvedAddress[] = [{ address: '127.0.0.1', family: 4 }];
/** More posts than a process has under way for one webhook. */
const HANGING = 30;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

async function aReceiver(...given: Parameters<typeof startReceiver>): Promise<Receiver> {
  const receiver = await startReceiver(...given);
  cleanups.push(receiver.stop);
  return receiver;
}

function aPoster(
  options: {
    readonly allowLoopback?: boolean;
    readonly timeoutMs?: number;
    readonly authority?: string;
    readonly resolve?: () => Promise<readonly ResolvedAddress[]>;
  } = {},
): WebhookPoster {
  const resolve = options.resolve ?? (() => Promise.resolve(LOOPBACK));
  const poster = makeWebhookPoster({
    guard: new AddressGuard({ resolve, allowLoopback: options.allowLoopback ?? true }),
    clock: systemClock,
    timeoutMs: options.timeoutMs ?? 5_000,
    ...(options.authority === undefined ? {} : { certificateAuthorities: [options.authority] }),
  });
  cleanups.push(poster.close);
  return poster;
}

describe('posting a webhook', () => {
  it('sends body and headers and gives the status', async () => {
    const receiver = await aReceiver((_request, response) => response.writeHead(204).end());

    const outcome = await aPoster().post(`${receiver.url}/hook`, { 'x-one': '1' }, '{"a":1}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 204 });
    expect(receiver.received).toMatchObject([{ path: '/hook', body: '{"a":1}', headers: { 'x-one': '1' } }]);
  });

  it('waits for no other post to the same host, however many of them hang', async () => {
    const receiver = await aReceiver((request, response) => {
      if (request.url !== '/hangs') response.writeHead(204).end();
    });
    const poster = aPoster({ timeoutMs: 60_000 });
    const hanging = Array.from({ length: HANGING }, () => poster.post(`${receiver.url}/hangs`, {}, '{}'));
    await until(
      'the posts that hang',
      () => receiver.received.length,
      (count) => count === HANGING,
    );

    const outcome = await poster.post(`${receiver.url}/well`, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 204 });
    await poster.close();
    expect((await Promise.all(hanging)).map((one) => one.outcome)).toEqual(hanging.map(() => 'unreachable'));
  });

  it('sends over TLS to the name in the certificate', async () => {
    const certificate = makeCertificate();
    const receiver = await aReceiver(undefined, certificate);

    const outcome = await aPoster({ authority: certificate.cert }).post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 200 });
  });

  it('sends nothing to a receiver whose certificate no authority vouches for', async () => {
    const receiver = await aReceiver(undefined, makeCertificate());

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'unreachable', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(receiver.received).toEqual([]);
  });

  it('follows no redirect', async () => {
    const inside = await aReceiver();
    const receiver = await aReceiver((_request, response) =>
      response.writeHead(307, { location: `${inside.url}/inside` }).end(),
    );

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 307 });
    expect(inside.received).toEqual([]);
  });

  it('dials nothing when a name that was public leads inside at connect time', async () => {
    const certificate = makeCertificate();
    const receiver = await aReceiver(undefined, certificate);
    const answers = [[{ address: '93.184.216.34', family: 4 }], LOOPBACK];
    const resolve = () => Promise.resolve(answers.shift() ?? []);
    const url = `https://rebind.example:${receiver.port}/`;
    const guard = new AddressGuard({ resolve, allowLoopback: false });
    const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    cleanups.push(poster.close);

    const stored = await guard.refusalOf(url);
    const outcome = await poster.post(url, {}, '{}');

    expect(stored).toBeUndefined();
    expect(outcome).toMatchObject({ outcome: 'refused', refusal: 'not_public' });
    expect(answers).toEqual([]);
    expect(receiver.received).toEqual([]);
  });

  it.each(['https://127.0.0.1', 'https://[::1]', 'https://169.254.169.254', 'https://2130706433'])(
    'dials no inside address that stands in the URL itself (%s)',
    async (host) => {
      const receiver = await aReceiver(undefined, makeCertificate());

      const outcome = await aPoster({ allowLoopback: false }).post(`${host}:${receiver.port}/`, {}, '{}');

      expect(outcome).toMatchObject({ outcome: 'refused', refusal: 'not_public' });
      expect(receiver.received).toEqual([]);
    },
  );

  it.each<{ readonly what: string; readonly answer: RequestListener }>([
    { what: 'never answers', answer: () => undefined },
  ])('gives up at the deadline when the receiver $what', async ({ answer }) => {
    const receiver = await aReceiver(answer);

    const outcome = await aPoster({ timeoutMs: 200 }).post(receiver.url, {}, '{}');

    expect(outcome.outcome).toBe('timed_out');
    expect(outcome.durationMs).toBeLessThan(20_000);
  });

  it('gives up at the deadline when the name does not resolve in time', async () => {
    const poster = aPoster({ timeoutMs: 200, resolve: () => new Promise(() => undefined) });

    const outcome = await poster.post('https://slow.example/', {}, '{}');

    expect(outcome.outcome).toBe('timed_out');
  });

  it('reads no more than 64 KB of an answer, and takes its status', async () => {
    let written = 0;
    const receiver = await aReceiver((_request, response) => {
      const chunk = Buffer.alloc(16_384);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 200 });
    // What lies in the buffers of the two ends comes on top; without a limit this would never end.
    expect(written).toBeLessThan(50_000_000);
  });

  it('says so when nobody listens', async () => {
    const receiver = await startReceiver();
    await receiver.stop();

    const outcome = await aPoster().post(receiver.url, {}, '{}');

    expect(outcome).toMatchObject({ outcome: 'unreachable', reason: 'ECONNREFUSED' });
  });
});
