import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '../../shared/event/readEvents.ts';
import type { ReceivedMessage } from '../../shared/message/message.ts';
import type { MessageId } from '../../shared/kernel/id.ts';
import { makeSafe } from '../../worker/facts/makeSafe.ts';
import { toMessageFacts } from '../../worker/socket/wire/messageFacts.ts';
import { aBatch, newIds, startEventStores, type EventStores } from '../shared/event/eventStores.ts';
import { recordFacts } from '../shared/event/recordFacts.ts';
import { runs } from '../sample.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: undefined };
const GROUP = '120363000000000001@g.us';
const WRITERS = ['4915100000002@s.whatsapp.net', '4915100000003@s.whatsapp.net'];
const IDS = ['A', 'B', 'C', 'D', 'E', 'F'];
const KINDS = [1, 3, 5, 12, 19, 77];

interface Written {
  readonly id: string;
  readonly by: string;
  readonly what: 'album' | 'image' | 'video' | 'text' | 'event' | 'place';
  readonly sequence: number;
  readonly partOf: string | undefined;
  readonly kind: number;
  /** The batch ends with it. */
  readonly last: boolean;
}

const written: fc.Arbitrary<Written> = fc.record({
  id: fc.constantFrom(...IDS),
  by: fc.constantFrom(...WRITERS),
  what: fc.constantFrom('album', 'image', 'image', 'video', 'text', 'event', 'place'),
  sequence: fc.oneof(fc.nat({ max: 3 }), fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER)),
  partOf: fc.option(fc.constantFrom(...IDS, 'NOBODY', '', 'x'.repeat(3_000)), { nil: undefined }),
  kind: fc.constantFrom(...KINDS),
  last: fc.boolean(),
});

const contents: Readonly<Record<Written['what'], (sequence: number) => proto.IMessage>> = {
  album: () => ({ albumMessage: { expectedImageCount: 1_000_000 } }),
  image: () => ({ imageMessage: { caption: 'i' } }),
  video: () => ({ videoMessage: { caption: 'v' } }),
  text: () => ({ extendedTextMessage: { text: 't' } }),
  event: () => ({ eventMessage: { name: 'e' } }),
  place: (sequenceNumber) => ({ liveLocationMessage: { degreesLatitude: 1, degreesLongitude: 1, sequenceNumber } }),
};

function factsOf({ id, by, what, sequence, partOf, kind }: Written, atMs: number) {
  // The key says whatever its writer likes: that another one wrote it, and in another chat.
  const parentMessageKey = { id: partOf ?? '', fromMe: false, participant: WRITERS.join(), remoteJid: '1@g.us' };
  const message = {
    ...contents[what](sequence),
    ...(partOf === undefined
      ? {}
      : { messageContextInfo: { messageAssociation: { associationType: kind, parentMessageKey } } }),
  };
  const stanza: BinaryNode = { tag: 'message', attrs: { id, t: `${atMs / 1_000}`, from: GROUP, participant: by } };
  const bytes = proto.Message.encode(message).finish();
  return toMessageFacts(stanza, { outcome: 'unpadded', bytes }, ME).flatMap(({ fact }) => {
    const safe = makeSafe({ ...fact, receivedAtMs: atMs }, atMs);
    return safe.outcome === 'set_aside' ? [] : [safe.fact];
  });
}

describe('parts of whatever their writers name', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  it('are all told, none is lost from sight, none is in two, and none is in what another one wrote', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 14 }), async (all) => {
        const ids = newIds();
        const facts = all.map((one, index) => ({ facts: factsOf(one, 1_790_000_000_000 + 1_000 * index), ...one }));
        let batch: (typeof facts)[number]['facts'] = [];
        for (const [index, one] of facts.entries()) {
          batch = [...batch, ...one.facts];
          if (!one.last && index < facts.length - 1) continue;
          await recordFacts(stores, aBatch(ids, batch, `batch-${index}`));
          batch = [];
        }

        const { messages } = await stores.messages.list(ids.connectionId, { before: undefined, limit: 100, nowMs: 0 });
        const seen: MessageId[] = [];
        const look = async (message: ReceivedMessage, depth: number): Promise<void> => {
          expect(depth).toBeLessThanOrEqual(2);
          seen.push(message.messageId);
          for (const { messageId } of message.parts ?? []) {
            const part = (await stores.messages.find(ids.connectionId, messageId)) as ReceivedMessage;
            expect(part).toMatchObject({ sender: message.sender, foldedInto: message.messageId });
            await look(part, depth + 1);
          }
        };
        for (const message of messages) await look(message as ReceivedMessage, 0);

        const { events } = await readEvents(stores, ids.tenantId, undefined, 100);
        const received = events.filter(({ type }) => type === 'message.received');
        const parts = events.filter(({ data }) => 'part' in data);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toHaveLength(received.length + parts.length);
        const keys = new Set(all.map(({ id, by }) => `${by} ${id}`));
        expect(seen.length).toBeGreaterThanOrEqual(keys.size);
      }),
      { numRuns: runs(12, 60) },
    );
  });
});
