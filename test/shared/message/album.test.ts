import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkInput } from '../../../functions/http/checkInput.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { MessageId } from '../../../shared/kernel/id.ts';
import { ALBUM_PARTS } from '../../../shared/message/albumRequest.ts';
import { albumTime } from '../../../shared/message/albumRows.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { onlyPossible, outboundMessageSchema, type OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import { windowOf } from '../../../shared/message/windowNotes.ts';
import type { SendRequest } from '../../../worker/socket/port/connectionSocket.ts';
import { Life, startAcceptWorld, type AcceptWorld, type Death } from './acceptWorld.ts';

const ID = 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H';
const image = (caption: string) => ({ type: 'image', image: { id: ID, caption } });
const video = (caption: string) => ({ type: 'video', video: { id: ID, caption } });
const asked = (parts: readonly object[], more: object = {}): OutboundMessage =>
  onlyPossible(
    checkInput(
      outboundMessageSchema,
      { to: '+4915100000002', type: 'album', album: { parts }, ...more },
      'body',
    ) as OutboundMessage,
  );
const album = (more: object = {}): OutboundMessage => asked([image('one'), video('two')], more);
const parts = (count: number) => Array.from({ length: count }, (_, place) => image(`${place}`));
const captionOf = ({ content }: Pick<SendRequest, 'content'>): string =>
  content.type === 'image'
    ? (content.image.caption ?? '')
    : content.type === 'video'
      ? (content.video.caption ?? '')
      : content.type;

describe('a request for an album', () => {
  it.each([
    ['one part', parts(ALBUM_PARTS.least - 1), 'album.parts'],
    ['too many parts', parts(ALBUM_PARTS.most + 1), 'album.parts'],
    [
      'a part that is no picture and no film',
      [image('one'), { type: 'document', document: { id: ID } }],
      'album.parts.1.type',
    ],
    ['a part without a file', [image('one'), { type: 'image', image: { caption: 'x' } }], 'album.parts.1.image.id'],
    [
      'a part that may be opened once',
      [image('one'), { type: 'image', image: { id: ID, view_once: true } }],
      /album\.parts\.1\.image/,
    ],
  ] as const)('is refused with %s', (_what, given, field) => {
    let problems: readonly string[] = [];
    try {
      asked(given);
    } catch (error) {
      problems = (error as { fields: readonly { field: string }[] }).fields.map((problem) => problem.field);
    }

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(field);
  });

  it('is refused with a time, and with what it announces instead of its parts', () => {
    expect(() => album({ not_before: '2030-01-02T18:00:00Z' })).toThrow('not valid');
    expect(() =>
      checkInput(
        outboundMessageSchema,
        { to: '+4915100000002', type: 'album', album: { images: 2, videos: 0 } },
        'body',
      ),
    ).toThrow('not valid');
  });

  it('is in one window with all its parts, whenever it comes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), fc.integer({ min: 2, max: 30 }), (offset, count) => {
        const atMs = albumTime(1_790_000_000_000 + offset, count);

        expect(windowOf(atMs + count)).toBe(windowOf(atMs));
        expect(Math.abs(atMs - 1_790_000_000_000 - offset)).toBeLessThanOrEqual(count);
      }),
    );
  });
});

describe('an album that is accepted', () => {
  let world: AcceptWorld;
  let connection: Connection;
  beforeAll(async () => {
    world = await startAcceptWorld();
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    connection = await world.core.aConnection();
  });

  const rowOf = async (messageId: MessageId | undefined): Promise<SentMessage> => {
    const row = messageId && (await world.core.messages.find(connection.connectionId, messageId));
    if (row?.direction !== 'out') throw new Error('there is no such row');
    return row;
  };
  /** What leaves when an owner works all that the queue has. */
  const leaves = async (): Promise<readonly SendRequest[]> => {
    const sent: SendRequest[] = [];
    await world.work(connection, { seen: (request) => void sent.push(request) });
    return sent;
  };

  it('is its beginning and a message for each part, which leave in their order and name it', async () => {
    const answer = await world.startApi().accept({ connection, body: album({ expires_in: 86_400 }) });
    const rows = await Promise.all((answer?.parts ?? []).map(({ messageId }) => rowOf(messageId)));
    const sent = await leaves();

    expect(answer).toMatchObject({
      content: { type: 'album', album: { images: 1, videos: 1 } },
      context: { expiresIn: 86_400 },
    });
    expect(answer?.parts?.map(({ kind, type }) => [kind, type])).toEqual([
      ['album', 'image'],
      ['album', 'video'],
    ]);
    const partOf = { kind: 'album', stanzaId: answer?.stanzaId, messageId: answer?.messageId };
    for (const row of rows)
      expect(row).toMatchObject({ partOf, foldedInto: answer?.messageId, context: { expiresIn: 86_400 } });
    expect(new Set([answer, ...rows].map((row) => row?.secret)).size).toBe(3);
    expect(sent.map(captionOf)).toEqual(['album', 'one', 'two']);
    expect(sent.map((request) => request.partOf?.stanzaId)).toEqual([undefined, answer?.stanzaId, answer?.stanzaId]);
    // The list shows the album alone.
    expect(await world.statesOf(connection)).toEqual(['sent']);
  });

  it('takes as many parts as phones do', async () => {
    const answer = await world.startApi().accept({ connection, body: asked(parts(ALBUM_PARTS.most)) });

    expect((await leaves()).map(captionOf)).toEqual(['album', ...Array.from({ length: 30 }, (_, place) => `${place}`)]);
    expect(answer?.content).toEqual({ type: 'album', album: { images: 30, videos: 0 } });
  });

  it('has its links fetched, and names them by their ids', async () => {
    const linked = { type: 'image', image: { link: 'https://example.com/a.jpg' } };
    const answer = await world.startApi().accept({ connection, body: asked([linked, image('two')]) });

    const [first] = answer?.parts ?? [];
    expect((await rowOf(first?.messageId)).content).toEqual({
      type: 'image',
      image: { id: 'med_01K3C5H4T6W8Y0A2C4E6G8J0M2' },
    });
  });

  it('is refused as a status', async () => {
    const status = album({ to: 'status' });

    await expect(world.startApi().accept({ connection, body: status })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('is cancelled with the parts that have not left', async () => {
    const api = world.startApi();
    const answer = await api.accept({ connection, body: album() });

    expect(await api.cancel(connection, answer?.messageId as MessageId)).toBe('cancelled');

    for (const { messageId } of answer?.parts ?? []) expect((await rowOf(messageId)).state).toBe('cancelled');
    expect(await leaves()).toEqual([]);
  });

  /** Accepting an album of two makes six calls: its rows, its two parts read again, and a command for each of its messages. */
  const deaths = [1, 2, 3, 4, 5, 6].flatMap((at): Death[] => [
    { at, when: 'before' },
    { at, when: 'after' },
  ]);
  it.each(deaths.map((death) => [`${death.when} call ${death.at}`, death] as const))(
    'leaves once, whole and in order, where its process dies %s and the same key asks again',
    async (_which, death) => {
      const first = await world.startApi(new Life(death)).accept({ connection, key: 'album-1', body: album() });
      const begun = await leaves();
      const second = await world.startApi().accept({ connection, key: 'album-1', body: album() });
      const rest = await leaves();

      expect(first).toBeUndefined();
      expect([...begun, ...rest].map(captionOf)).toEqual(['album', 'one', 'two']);
      expect(second?.parts).toHaveLength(2);
    },
  );
});
