import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { BatchExecuteStatementCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMessageView } from '../../../functions/routes/views.ts';
import { eventSchema } from '../../../shared/event/event.ts';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { MOST_PLACES } from '../../../shared/message/liveTrail.ts';
import { MOST_PARTS } from '../../../shared/message/messageParts.ts';
import { withOtherNames } from '../../../worker/socket/wire/otherNames.ts';
import { toMessageFacts } from '../../../worker/socket/wire/messageFacts.ts';
import { aBatch, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { isPlayed, runs } from '../../sample.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const BOB = { number: '4915100000002@s.whatsapp.net', lid: '222@lid' };
const CLEO = { number: '4915100000003@s.whatsapp.net', lid: '333@lid' };
const GROUP = '120363000000000001@g.us';
const NAMES = new Map([BOB, CLEO].flatMap(({ number, lid }) => [[number, lid] as const, [lid, number] as const]));
const { MEDIA_ALBUM, HD_IMAGE_DUAL_UPLOAD, MOTION_PHOTO } = proto.MessageAssociation.AssociationType;

interface Sent {
  readonly id: string;
  readonly message: proto.IMessage;
  readonly by?: string;
  readonly chat?: string;
}

const album = (id = 'ALBUM'): Sent => ({ id, message: { albumMessage: { expectedImageCount: 2 } } });
const image = (id: string, caption = id): Sent => ({ id, message: { imageMessage: { caption } } });
const partOf = (
  sent: Sent,
  parent: string,
  associationType: proto.MessageAssociation.AssociationType = MEDIA_ALBUM,
): Sent => ({
  ...sent,
  message: {
    ...sent.message,
    messageContextInfo: { messageAssociation: { associationType, parentMessageKey: { id: parent, fromMe: true } } },
  },
});
const place = (sequenceNumber: number, id = 'LIVE'): Sent => ({
  id,
  message: { liveLocationMessage: { degreesLatitude: sequenceNumber, degreesLongitude: 1, sequenceNumber } },
});

/** An odd number, so that deaths before and after a write are among those that are played. */
const ONE_OF = 3;

describe('messages that belong to another one', () => {
  const room = eventRoom();

  const factsOf = ({ id, message, by = BOB.number, chat = GROUP }: Sent, atMs = 1_790_000_000_000): readonly Fact[] => {
    const from = chat === GROUP ? { from: GROUP, participant: by } : { from: chat };
    const stanza: BinaryNode = { tag: 'message', attrs: { id, t: `${atMs / 1_000}`, ...from } };
    const bytes = proto.Message.encode(message).finish();
    return toMessageFacts(stanza, { outcome: 'unpadded', bytes }, ME).map(({ fact }) =>
      withOtherNames({ ...fact, receivedAtMs: atMs }, NAMES),
    );
  };
  const batchOf = (...sent: readonly Sent[]) =>
    aBatch(
      room.ids,
      sent.flatMap((one, index) => factsOf(one, 1_790_000_000_000 + 1_000 * index)),
      room.nextBatchId(),
    );
  const record = (...sent: readonly Sent[]) => recordFacts(room.stores, batchOf(...sent));
  const told = async () => {
    const { events } = await readEvents(room.stores, room.ids.tenantId, undefined, 300);
    expect(events.map((event) => eventSchema.parse(event))).toEqual(events);
    return events;
  };
  const list = async () => {
    const { messages } = await room.stores.messages.list(room.ids.connectionId, {
      before: undefined,
      limit: 250,
      nowMs: 0,
    });
    return messages as readonly ReceivedMessage[];
  };
  const partsIn = async (message: ReceivedMessage | undefined) =>
    Promise.all(
      (message?.parts ?? []).map(
        async ({ messageId }) => (await room.stores.messages.find(room.ids.connectionId, messageId)) as ReceivedMessage,
      ),
    );
  /** The messages that are listed, each with those in it, by their stanzas. */
  const shape = async () => {
    const listed = await list();
    const pairs = await Promise.all(
      listed.map(
        async (one) => [one.stanzaId, (await partsIn(one)).map(({ stanzaId }) => stanzaId).toSorted()] as const,
      ),
    );
    return Object.fromEntries(pairs);
  };

  /** Records a batch in a process that dies around one of its writes; whether it came so far. */
  const recordUntil = async (batch: FactBatch, at: number, moment: 'before' | 'after'): Promise<boolean> => {
    let writes = 0;
    let died = false;
    const table = Object.assign(Object.create(room.stores.table) as typeof room.stores.table, {
      send: async (command: Parameters<typeof room.stores.table.send>[0]) => {
        const isWrite = [PutCommand, UpdateCommand, BatchExecuteStatementCommand].some((one) => command instanceof one);
        if (died) throw new Error('died');
        died = isWrite && (writes += 1) >= at;
        if (died && moment === 'before') throw new Error('died');
        const answer = await room.stores.table.send(command);
        if (died) throw new Error('died');
        return answer;
      },
    });
    await recordFacts({ ...room.stores, table }, batch).catch(() => undefined);
    return died;
  };

  it('are told as an update of it, and stand in no list', async () => {
    await record(album());
    await record(partOf(image('ONE'), 'ALBUM'), partOf(image('TWO'), 'ALBUM'));

    const [parent] = await list();
    const parts = await partsIn(parent);
    const events = await told();
    expect(await shape()).toEqual({ ALBUM: ['ONE', 'TWO'] });
    expect(events.map(({ type }) => type)).toEqual(['message.received', 'message.updated', 'message.updated']);
    expect(events[2]?.data).toMatchObject({
      messageId: parent?.messageId,
      stanzaId: 'TWO',
      content: { type: 'album' },
      parts: [{ kind: 'album', type: 'image' }, { messageId: parts[1]?.messageId }],
      part: { messageId: parts[1]?.messageId, kind: 'album', content: { image: { caption: 'TWO' } } },
    });
    expect(parts.map((part) => toMessageView(part))).toMatchObject([
      {
        content: { image: { caption: 'ONE' } },
        partOf: { kind: 'album', stanzaId: 'ALBUM', messageId: parent?.messageId },
      },
      { content: { image: { caption: 'TWO' } } },
    ]);
    expect(toMessageView(parent as ReceivedMessage).parts).toMatchObject([{ type: 'image' }, { type: 'image' }]);
  });

  it('come to the same in any order, in any batches, under any of their names, and twice', async () => {
    const sent = [
      album(),
      partOf(image('ONE'), 'ALBUM'),
      partOf(image('TWO'), 'ALBUM'),
      partOf(image('HD'), 'TWO', HD_IMAGE_DUAL_UPLOAD),
      image('PHOTO'),
      partOf({ id: 'FILM', message: { videoMessage: {} } }, 'PHOTO', MOTION_PHOTO),
    ];
    const orders = fc.tuple(
      fc.shuffledSubarray(sent, { minLength: sent.length }),
      fc.array(fc.boolean(), { minLength: sent.length, maxLength: sent.length }),
      fc.array(fc.constantFrom(BOB.number, BOB.lid), { minLength: sent.length, maxLength: sent.length }),
    );

    await fc.assert(
      fc.asyncProperty(orders, async ([order, cuts, names]) => {
        room.renewIds();
        let batch: Sent[] = [];
        for (const [index, one] of order.entries()) {
          batch.push({ ...one, by: names[index] ?? BOB.number });
          if (cuts[index] !== true) continue;
          await record(...batch);
          batch = [];
        }
        await record(...batch);
        await record(...order);

        expect(await shape()).toEqual({ ALBUM: ['ONE', 'TWO'], PHOTO: ['FILM'] });
        const listed = await list();
        const [two] = (await partsIn(listed.find(({ stanzaId }) => stanzaId === 'ALBUM'))).filter(
          ({ stanzaId }) => stanzaId === 'TWO',
        );
        expect((await partsIn(two)).map(({ stanzaId }) => stanzaId)).toEqual(['HD']);
        expect(await told()).toHaveLength(sent.length);
      }),
      { numRuns: runs(6, 25) },
    );
  });

  const hd = (of = 'ONE') => partOf(image('HD'), of, HD_IMAGE_DUAL_UPLOAD);

  it('are one message where the better one comes first: it stays the message, and the other one is its part', async () => {
    await record(hd());
    await record(image('ONE'));
    await record(hd(), image('ONE'));

    const [shown, ...others] = await list();
    const [part] = await partsIn(shown);
    const events = await told();
    expect(others).toEqual([]);
    expect(await shape()).toEqual({ HD: ['ONE'] });
    expect(events.map(({ type }) => type)).toEqual(['message.received', 'message.updated']);
    expect(events[1]?.data).toMatchObject({
      messageId: shown?.messageId,
      stanzaId: 'ONE',
      content: { image: { caption: 'HD' } },
      parts: [{ kind: 'sd', type: 'image', messageId: part?.messageId }],
      part: { kind: 'sd', messageId: part?.messageId, content: { image: { caption: 'ONE' } } },
    });
    expect(toMessageView(part as ReceivedMessage)).toMatchObject({
      partOf: { kind: 'sd', stanzaId: 'HD', messageId: shown?.messageId },
    });
  });

  it.each([
    ['in one batch', [hd(), image('ONE')]],
    [
      'with what belongs to the lesser one',
      [hd(), partOf({ id: 'FILM', message: { videoMessage: {} } }, 'ONE', MOTION_PHOTO), image('ONE')],
    ],
    ['the usual way', [image('ONE'), hd()]],
  ])('are told once as a message, %s, wherever a process dies', async (_how, sent) => {
    for (let at = 1, isOver = false; !isOver; at += 1) {
      for (const [index, moment] of (['before', 'after'] as const).entries()) {
        if (!isPlayed(2 * at + index, ONE_OF)) continue;
        room.renewIds();
        const batch = batchOf(...sent);
        isOver = !(await recordUntil(batch, at, moment));
        await recordFacts(room.stores, batch);
        await readEvents(room.stores, room.ids.tenantId, undefined, 100);
        room.stores.clock.advance(120_000);

        const stanzaOf = ({ data }: Awaited<ReturnType<typeof told>>[number]): string =>
          String((data as { readonly stanzaId?: string }).stanzaId);
        const events = (await told()).filter((event) => ['ONE', 'HD'].includes(stanzaOf(event)));
        expect(events.map(({ type }) => type)).toEqual(['message.received', 'message.updated']);
        expect(Object.keys(await shape()).filter((one) => one !== 'FILM')).toEqual(events.slice(0, 1).map(stanzaOf));
      }
    }
  });

  it('stay in the album to which they belong, also where the better one comes first', async () => {
    await record(hd('TWO'), album(), partOf(image('TWO'), 'ALBUM'));

    expect(await shape()).toEqual({ ALBUM: ['TWO'] });
  });

  it('are two where the better one was taken back before the other one came', async () => {
    const type = proto.Message.ProtocolMessage.Type.REVOKE;
    await record(hd());
    await record({ id: 'REVOKE', message: { protocolMessage: { type, key: { id: 'HD', fromMe: true } } } });
    await record(image('ONE'));

    expect((await told()).map((event) => event.type)).toEqual([
      'message.received',
      'message.deleted',
      'message.received',
    ]);
  });

  it('stand alone where another person, another chat or another kind is named, or no end is seen', async () => {
    await record(album(), image('PHOTO'));
    await record({ ...partOf(image('STRANGER'), 'ALBUM'), by: CLEO.number });
    await record({ ...partOf(image('ELSEWHERE'), 'ALBUM'), chat: BOB.number });
    await record(partOf(image('WRONG'), 'PHOTO'), partOf(image('SELF'), 'SELF'));
    await record(partOf(album('INNER'), 'ALBUM'), partOf(image('DEEP'), 'INNER'));
    await record(
      partOf(image('A'), 'C', HD_IMAGE_DUAL_UPLOAD),
      partOf(image('B'), 'A', HD_IMAGE_DUAL_UPLOAD),
      partOf(image('C'), 'B', HD_IMAGE_DUAL_UPLOAD),
    );

    const found = await shape();
    expect(found).toMatchObject({
      PHOTO: [],
      ALBUM: [],
      INNER: ['DEEP'],
      STRANGER: [],
      ELSEWHERE: [],
      WRONG: [],
      SELF: [],
      A: [],
      B: [],
      C: [],
    });
    expect((await told()).map(({ type }) => type).filter((type) => type === 'message.updated')).toHaveLength(1);
  });

  it('are told whole, with the beginning of a message that does not fit beside them', async () => {
    const caption = '\u0001'.repeat(55_000);
    await record(image('ONE', caption), partOf(image('TWO', caption), 'ONE', HD_IMAGE_DUAL_UPLOAD));

    const [, updated] = await told();
    expect(updated).toMatchObject({
      type: 'message.updated',
      data: { content: { image: { truncated: true } }, part: { stanzaId: 'TWO', content: { image: { caption } } } },
    });
    expect(await list()).toMatchObject([
      { stanzaId: 'ONE', content: { image: { caption } }, parts: [{ stanzaId: 'TWO' }] },
    ]);
  });

  it('are bounded, before it comes and after', async () => {
    const many = (name: string, parent: string) =>
      Array.from({ length: MOST_PARTS + 5 }, (_, index) => partOf(image(`${name}-${index}`, ''), parent));
    await record(album('FIRST'));
    await record(...many('late', 'FIRST'));
    await record(...many('early', 'SECOND'));
    await record(album('SECOND'));

    const listed = await shape();
    expect(listed['FIRST']).toHaveLength(MOST_PARTS);
    expect(listed['SECOND']).toHaveLength(MOST_PARTS);
    expect(Object.keys(listed)).toHaveLength(2 + 5 + 5);
  });

  it('are edited, answered and taken back as what they are', async () => {
    await record(album(), partOf(image('ONE'), 'ALBUM'));
    const key = { remoteJid: GROUP, fromMe: true, id: 'ONE' };
    const editedMessage = { imageMessage: { caption: 'now' } };
    await record(
      { id: 'EDIT', message: { protocolMessage: { key, type: 14, editedMessage } } },
      { id: 'GONE', message: { protocolMessage: { key, type: 0 } } },
    );

    const [part] = await partsIn((await list())[0]);
    const about = { original: { messageId: part?.messageId, stanzaId: 'ONE' } };
    expect((await told()).slice(2)).toMatchObject([
      { type: 'message.edited', data: { ...about, content: { image: { caption: 'now' } } } },
      { type: 'message.deleted', data: about },
    ]);
    expect(toMessageView(part as ReceivedMessage)).toMatchObject({
      content: { image: { caption: 'now' } },
      deletedAt: expect.any(String),
      partOf: { kind: 'album' },
    });
  });

  it('are told once and named once, wherever the process dies', async () => {
    const batch = batchOf(
      partOf(image('EARLY'), 'ALBUM'),
      album(),
      partOf(image('LATE'), 'ALBUM'),
      place(2),
      place(1),
      place(3),
    );
    let died = true;
    for (let at = 1; died; at += 1) {
      for (const [index, moment] of (['before', 'after'] as const).entries()) {
        if (!isPlayed(2 * at + index, ONE_OF)) continue;
        room.renewIds();
        const own = { ...batch, ...room.ids };
        died = await recordUntil(own, at, moment);
        await recordFacts(room.stores, own);
        // A place in the log that the dead run had taken is waited for, and then passed over.
        await readEvents(room.stores, room.ids.tenantId, undefined, 100);
        room.stores.clock.advance(120_000);

        expect(await shape()).toEqual({ ALBUM: ['EARLY', 'LATE'], LIVE: [] });
        expect((await told()).map(({ type }) => type)).toEqual([
          'message.received',
          'message.received',
          'message.updated',
          'message.received',
          'message.updated',
        ]);
      }
    }
  });

  it('come to the same where several runs record them at once', async () => {
    for (let round = 0; round < runs(3, 10); round += 1) {
      room.renewIds();
      const all = [partOf(image('ONE'), 'ALBUM'), album(), partOf(image('TWO'), 'ALBUM'), place(2), place(2)];

      await Promise.all(all.map((one) => record(one)));

      expect(await shape()).toEqual({ ALBUM: ['ONE', 'TWO'], LIVE: [] });
      expect(await told()).toHaveLength(4);
    }
  });

  it('are the places of a live location: the newest is shown, the last ones before it are kept', async () => {
    await record(place(1), place(3), place(2));
    await record(place(3), place(4));
    await record({ ...place(9), by: CLEO.number });

    const listed = await list();
    const [live, other] = [BOB.number, CLEO.number].map((by) => listed.find(({ sender }) => sender === by));
    const events = await told();
    expect(toMessageView(live as ReceivedMessage)).toMatchObject({
      content: { live_location: { latitude: 4, sequence: 4 } },
      trail: [{ latitude: 1 }, { latitude: 3 }],
    });
    expect(other).toMatchObject({ stanzaId: 'LIVE', content: { live_location: { sequence: 9 } } });
    expect(events.map(({ type }) => type)).toEqual([
      'message.received',
      'message.updated',
      'message.updated',
      'message.received',
    ]);
    expect(events[2]?.data).toMatchObject({ messageId: live?.messageId, content: { live_location: { sequence: 4 } } });

    await record(
      { id: 'NEAR', message: { reactionMessage: { key: { id: 'LIVE', participant: BOB.number }, text: '🚗' } } },
      ...Array.from({ length: MOST_PLACES + 9 }, (_, index) => place(10 + index / 10)),
    );
    const now = (await list()).find(({ messageId }) => messageId === live?.messageId);
    expect((await told())[4]?.data).toMatchObject({ content: { reaction: { message_id: live?.messageId } } });
    expect(now?.trail?.length).toBeLessThanOrEqual(MOST_PLACES);
  });
});
