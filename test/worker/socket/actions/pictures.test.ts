import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import { samples } from '../../../whatsapp/media/sampleFiles.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();

/** The head of a JPEG of a size, which is all that is looked at. */
function aJpeg(width: number, height: number): Buffer {
  const frame = Buffer.from('ffd8ffc0001108000000000301220002110103110000', 'hex');
  frame.writeUInt16BE(height, 7);
  frame.writeUInt16BE(width, 9);
  return frame;
}
const SQUARE = aJpeg(640, 640);

describe('pictures on a real socket', () => {
  let room: SocketRoom;
  let group: string;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    group = (await room.client.addGroup(BOB, 'pictures', [ANN])).id;
  });
  afterEach(async () => {
    await room.client.clearFaults();
    room.keptPictures.splice(0);
  });
  afterAll(() => room.stop());

  const ask = (action: AskedAction, picture?: Uint8Array) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask(action, `${ANN}@s.whatsapp.net`, picture === undefined ? {} : { picture });
  };
  const find = (chat: string, size: 'full' | 'preview' = 'full') =>
    ask({ kind: 'picture_find', request: { chat, size } });
  const ofAnn = `${ANN}@s.whatsapp.net`;

  it('sets the picture of the account as it was made, and removes it', async () => {
    const outcome = await ask({ kind: 'profile_picture_set', request: {} }, SQUARE);

    expect(outcome).toMatchObject({
      outcome: 'succeeded',
      result: { set: true, pictureId: expect.stringMatching(/^\d+$|./) },
    });
    expect(await room.client.files.pictureOf(ofAnn)).toEqual(SQUARE);
    expect(await ask({ kind: 'profile_picture_remove', request: {} })).toEqual({
      outcome: 'succeeded',
      result: { removed: true },
    });
    expect(await room.client.files.pictureOf(ofAnn)).toBeUndefined();
    // Removed again, nothing is there either.
    expect(await ask({ kind: 'profile_picture_remove', request: {} })).toMatchObject({ outcome: 'succeeded' });
  });

  it('sets the picture of a group, and removes it', async () => {
    const outcome = await ask({ kind: 'group_picture_set', request: { group } }, SQUARE);

    expect(outcome).toMatchObject({ outcome: 'succeeded', result: { group: { id: group }, set: true } });
    expect(await room.client.files.pictureOf(group)).toEqual(SQUARE);
    expect(await ask({ kind: 'group_picture_remove', request: { group } })).toMatchObject({ outcome: 'succeeded' });
    expect(await room.client.files.pictureOf(group)).toBeUndefined();
  });

  it.each([
    [
      'of a group of which the account is no member',
      403,
      async () => (await room.client.addGroup(BOB, 'x', [])).id,
      SQUARE,
    ],
    ['of a group that is not there', 404, async () => '120363000000000000@g.us', SQUARE],
    ['that is no square', 406, async () => group, aJpeg(640, 480)],
    ['that is no JPEG', 406, async () => group, Buffer.from(samples.smallPng, 'base64')],
  ])("says WhatsApp's number where it refuses one %s", async (_which, whatsappCode, target, picture) => {
    const outcome = await ask({ kind: 'group_picture_set', request: { group: await target() } }, picture);

    expect(outcome).toEqual({ outcome: 'refused', error: { code: 'refused', whatsappCode } });
  });

  it('finds the picture of a person, of a group and of the account, and has it fetched', async () => {
    await room.client.files.setPicture(BOB, SQUARE);
    await room.client.files.setPicture(BOB, SQUARE, group);
    await room.client.files.setPicture(ANN, SQUARE);

    const outcomes = [await find(`+${BOB}`), await find(group), await find(`+${ANN}`, 'preview')];

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ outcome: 'succeeded', result: { picture: 'found', media: { id: 'med_1' } } });
    }
    expect(room.keptPictures.map(({ size }) => size)).toEqual(['full', 'full', 'preview']);
    expect(new Set(room.keptPictures.map(({ pictureId }) => pictureId)).size).toBe(3);
    expect(room.keptPictures.every(({ path = '', url }) => path.startsWith('/') && url.startsWith('https://'))).toBe(
      true,
    );
    expect(outcomes[0]).toMatchObject({ result: { chat: { phoneNumber: `+${BOB}` } } });
  });

  it('says that there is none, that it is hidden, and that nobody is there', async () => {
    await room.client.files.setPicture(BOB, undefined);
    expect(await find(`+${BOB}`)).toMatchObject({ outcome: 'succeeded', result: { picture: 'none' } });
    await room.client.files.setPicture(BOB, SQUARE);
    await room.client.files.hidePicture(BOB, true);
    expect(await find(BOB_JID)).toMatchObject({ outcome: 'succeeded', result: { picture: 'hidden' } });
    await room.client.files.hidePicture(BOB, false);

    expect(await find('+4915199999999')).toEqual({
      outcome: 'refused',
      error: { code: 'recipient_has_no_account' },
    });
    expect(room.keptPictures).toEqual([]);
  });

  it.each([
    ['429 as a limit', 429, { outcome: 'limited', whatsappCode: 429 }],
    ['503 as no answer', 503, { outcome: 'unanswered', whatsappCode: 503 }],
  ])('takes %s', async (_which, code, expected) => {
    await room.client.fault({ kind: 'iq_error', xmlns: 'w:profile:picture', code });

    expect(await find(`+${BOB}`)).toEqual(expected);
  });
});
