import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../whatsapp/until.ts';
import { lidOf } from '../../../whatsapp/world.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

interface Token {
  readonly token: Uint8Array;
  readonly senderTimestamp?: number;
}

describe('privacy tokens', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const issues = async (): Promise<number> => (await room.client.stats()).tokenIssues[ANN] ?? 0;
  const bob = `${lidOf(BOB)}@lid`;
  const stored = async (): Promise<Readonly<Record<string, Token>>> =>
    (await (await room.session()).getKeys('tctoken', [bob, '__index'])) as Record<string, Token>;

  it('are issued once to a contact and kept, however often he is written to', async () => {
    for (const text of ['1', '2', '3', '4', '5']) await room.send(text);
    const tokens = await until('the token', stored, (found) => found['__index'] !== undefined);

    expect(await issues()).toBe(1);
    expect(tokens[bob]?.token).toHaveLength(16);
    expect(tokens[bob]?.senderTimestamp).toBeGreaterThan(0);
    expect(Buffer.from(tokens['__index']?.token ?? []).toString()).toBe(JSON.stringify([bob]));
  });

  it('are not issued again after a restart', async () => {
    await room.send('before');
    await until('the token', stored, (found) => found['__index'] !== undefined);
    await room.socket?.close('end');

    await room.login();
    // The query for a token would follow the first and reach the server before the second.
    const sent = [await room.send('after'), await room.send('later')];

    expect(sent.map(({ outcome }) => outcome?.outcome)).toEqual(['acknowledged', 'acknowledged']);
    expect(await issues()).toBe(1);
  });
});
