import { createHash } from 'node:crypto';
import { downloadMediaMessage } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { mediaAgent, mediaDispatcher } from './mediaRedirect.ts';
import { isCaughtUp, PlainAccount } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { useStage } from './sockets.ts';
import { until } from './until.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
const DOCUMENT = Buffer.from('%PDF-1.4 '.repeat(2_000));

describe('media between phones and real Baileys sockets', () => {
  const stage = useStage({ Ann: ANN, Bob: BOB });

  it('a socket uploads, and a phone opens what it was sent', async () => {
    const account = new PlainAccount();
    (await stage.pair(ANN, account)).close();
    const ann = stage.connect(account, { fetchAgent: mediaAgent });
    await ann.until('the end of the offline queue', isCaughtUp);

    const sent = await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, {
      document: DOCUMENT,
      mimetype: 'application/pdf',
      fileName: 'a.pdf',
      caption: 'the paper',
    });
    const [shown] = await until(
      'the document',
      () => stage.client().messages(BOB),
      (messages) => messages.length === 1,
    );

    expect(shown).toMatchObject({
      kind: 'document',
      text: 'the paper',
      media: { fileName: 'a.pdf', sha256: createHash('sha256').update(DOCUMENT).digest('hex') },
    });
    expect(await stage.client().media(BOB, sent?.key.id ?? '')).toEqual(DOCUMENT);
  });

  it('a phone sends media, and a socket downloads them', async () => {
    const ann = await stage.pair(ANN);
    const picture = { kind: 'image', data: DOCUMENT, mimetype: 'image/jpeg' } as const;

    await stage.client().writeMedia(BOB, ANN, picture, 'look');
    const [message] = await until(
      'the picture',
      () => ann.received,
      (messages) => messages.length === 1,
    );
    if (message === undefined) throw new Error('no message');
    const content = await downloadMediaMessage(message, 'buffer', { options: { dispatcher: mediaDispatcher } });

    expect(message.message?.imageMessage?.caption).toBe('look');
    expect(content).toEqual(DOCUMENT);
  });

  it('refuses a blob that has not the hash of its path', async () => {
    const url = `http://${stage.whatsApp().mediaHost}/mms/image/${'A'.repeat(43)}?auth=sandbox`;

    const response = await fetch(url, { method: 'POST', body: 'something else' });

    expect(response.status).toBe(400);
  });
});
