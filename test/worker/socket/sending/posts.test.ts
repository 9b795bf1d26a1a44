import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeStanzaId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { someContent } from '../../../shared/content/someContent.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { ANN, SocketRoom } from '../socketRoom.ts';

silenceConsole();

const CHANNEL = '120363000000000001@newsletter';

describe('a post in a channel on its socket', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterAll(() => room.stop());

  const post = async (text: string, stanzaId = makeStanzaId(systemRandom)) => {
    const outcome = await room.socket?.send({ stanzaId, to: CHANNEL, content: someContent(text) });
    return { outcome, stanzaId };
  };

  it('is there for all, sealed for nobody, and needs no look-up', async () => {
    const before = await room.client.stats();

    const { outcome, stanzaId } = await post('News of the day');

    expect(outcome).toMatchObject({ outcome: 'acknowledged' });
    expect(await room.client.files.posts(CHANNEL)).toMatchObject([
      { id: stanzaId, by: ANN, kind: 'text', text: 'News of the day', stanzaType: 'text' },
    ]);
    expect(await room.socket?.lookUpsFor(CHANNEL)).toEqual(new Set());
    const after = await room.client.stats();
    expect(after.accountQueries).toEqual(before.accountQueries);
  });

  it('is refused with the number that WhatsApp gives', async () => {
    await room.client.fault({ kind: 'nack', number: ANN, code: 403, times: 1 });

    expect((await post('not ours')).outcome).toEqual({ outcome: 'refused', code: 403 });
  });
});
