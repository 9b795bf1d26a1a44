import { afterEach, describe, expect, it } from 'vitest';
import { makeMediaDispatcher } from '../../../../worker/socket/repairs/mediaDispatcher.ts';
import { startSlowServer, type SlowServer } from '../../../emulators/slowServer.ts';
import { until } from '../../../whatsapp/until.ts';

let server: SlowServer | undefined;
afterEach(() => server?.stop());

/** Downloads as Baileys does: with Node's own `fetch`, and the dispatcher that it was given. */
const download = async (endpoint: string, dispatcher: ReturnType<typeof makeMediaDispatcher>): Promise<string> => {
  const response = await fetch(endpoint, {
    dispatcher: dispatcher as unknown as NonNullable<RequestInit['dispatcher']>,
  });
  return response.text();
};

describe('downloads of media', () => {
  it('end when the host says nothing', async () => {
    server = await startSlowServer('silent');

    await expect(download(server.endpoint, makeMediaDispatcher(300, 200))).rejects.toThrow(
      /fetch failed|did not finish/,
    );

    await until(
      'the end of its connections',
      () => server?.open(),
      (open) => open === 0,
    );
  });

  it('end when the host sends a byte now and then', async () => {
    server = await startSlowServer('trickling', 20);

    await expect(download(server.endpoint, makeMediaDispatcher(400, 300))).rejects.toThrow(/terminated|did not finish/);

    await until(
      'the end of its connections',
      () => server?.open(),
      (open) => open === 0,
    );
  });
});
