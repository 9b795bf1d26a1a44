import { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const { MEDIA_ALBUM, HD_IMAGE_DUAL_UPLOAD } = proto.MessageAssociation.AssociationType;

type Json = Readonly<Record<string, unknown>>;

/** A picture as a phone wraps it that says of which message it is a part. */
function picture(caption: string, parent: string, associationType: proto.MessageAssociation.AssociationType) {
  const messageContextInfo = {
    messageAssociation: { associationType, parentMessageKey: { id: parent, fromMe: true } },
  };
  return { associatedChildMessage: { message: { imageMessage: { caption, width: 10 }, messageContextInfo } } };
}

function place(sequenceNumber: number) {
  return { liveLocationMessage: { degreesLatitude: sequenceNumber, degreesLongitude: 1, sequenceNumber } };
}

describe('messages that belong to another one, through every process of the embedded stack', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN);
  });
  afterAll(() => stage.stop());

  it('are one message: an album, also with a picture that came before it, and a live location', async () => {
    const { receiver, phones, api, connection } = stage;
    const said: readonly (readonly [id: string, message: proto.IMessage])[] = [
      ['EARLY', picture('early', 'ALBUM', MEDIA_ALBUM)],
      ['ALBUM', { albumMessage: { expectedImageCount: 2 } }],
      ['LATE', picture('late', 'ALBUM', MEDIA_ALBUM)],
      ['LATE-HD', picture('late', 'LATE', HD_IMAGE_DUAL_UPLOAD)],
      ['LIVE', place(1)],
      ['LIVE', place(2)],
    ];
    for (const [id, message] of said) {
      const plaintext = Buffer.from(proto.Message.encode(message).finish()).toString('base64');
      await phones.raw(ANN, { to: SHOP, plaintext, id });
    }

    const told = await until(
      'all webhooks',
      () => receiver.events.filter(({ data }) => said.some(([id]) => id === data['stanzaId'])),
      ({ length }) => length === said.length,
    );
    const path = `/v1/connections/${connection}/messages`;
    const of = (id: string): Json => told.find(({ data }) => data['stanzaId'] === id)?.data ?? {};
    const album = String(of('ALBUM')['messageId']);
    const parts = (await api.must('GET', `${path}/${album}/parts`))['data'];
    const listed = (await api.must('GET', path))['data'] as readonly Json[];
    const none = await api.must('GET', `${path}/${String(of('LIVE')['messageId'])}/parts`);

    expect(told.map(({ type, data }) => `${type} ${String(data['stanzaId'])}`).toSorted()).toEqual([
      'message.received ALBUM',
      'message.received EARLY',
      'message.received LIVE',
      'message.updated LATE',
      'message.updated LATE-HD',
      'message.updated LIVE',
    ]);
    expect(of('LATE')).toMatchObject({
      messageId: album,
      part: { kind: 'album', content: { image: { caption: 'late' } } },
    });
    expect(parts).toMatchObject([
      { stanzaId: 'EARLY', partOf: { messageId: album } },
      { stanzaId: 'LATE', partOf: { messageId: album }, parts: [{ kind: 'hd' }] },
    ]);
    expect(none).toEqual({ data: [], hasMore: false });
    expect(listed).toMatchObject([
      { stanzaId: 'LIVE', content: { live_location: { latitude: 2 } }, trail: [{ latitude: 1 }] },
      { stanzaId: 'ALBUM', parts: [{ type: 'image' }, { type: 'image' }] },
    ]);
  });
});
