import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../shared/content/content.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { messageKey } from '../../../shared/event/facts/messageKey.ts';
import { makeId, type StanzaId } from '../../../shared/kernel/id.ts';
import { MessageStore } from '../../../shared/message/messageStore.ts';
import { aBatch, aMessageFact, aSentMessage } from '../../shared/event/eventStores.ts';
import { interactives } from '../../shared/message/requests.ts';
import { makeSeededRandom } from '../../simulation/seededRandom.ts';
import { runs } from '../../sample.ts';
import { IngestWorld } from './ingestWorld.ts';

const NUMBER = '4915123456789@s.whatsapp.net';
const LID = '904915123456789@lid';
const CONTENT = { type: 'interactive', interactive: { ...interactives['button'], fallback: 'text' } };

const aFate = record({
  atRequest: integer({ min: 1, max: 14 }),
  afterEffect: boolean(),
  end: constantFrom('dies' as const, 'sleeps' as const),
});
const aWorld = record({
  seed: integer({ min: 0, max: 2 ** 31 }),
  /** What is written in each batch, and under which name of the chat. */
  batches: array(array(record({ body: constantFrom('1', '2', 'No', 'hi'), byLid: boolean() }), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
  fates: array(aFate, { maxLength: 8 }),
});

describe('an answer to numbered text, wherever ingest dies or sleeps', () => {
  it('is a choice once, the first that is one, and every later one stays a text', async () => {
    await assert(
      asyncProperty(aWorld, async ({ seed, batches, fates }) => {
        const world = new IngestWorld(seed);
        const random = makeSeededRandom(seed);
        const atMs = world.clock.nowMs();
        const ids = { tenantId: makeId('tnt', atMs, random), connectionId: makeId('con', atMs, random) };
        const content = CONTENT as unknown as OutboundContent;
        const sent = aSentMessage(ids, { to: NUMBER, createdAtMs: atMs, content });
        await new MessageStore({ table: world.table, stage: 'test' }).create(sent, 0);
        const key = `result:${sent.messageId}`;
        const { messageId } = sent;
        const result: Fact = { kind: 'send_result', key, atMs, messageId, state: 'sent', toAlias: LID };
        const facts = batches.map((written, batch) =>
          written.map(({ body, byLid }, place) => {
            const [chat, chatAlias] = byLid ? [LID, NUMBER] : [NUMBER, LID];
            const stanzaId = `IN${batch}-${place}` as StanzaId;
            const key = messageKey({ chat, sender: chat, stanzaId, fromMe: false });
            const names = { chat, chatAlias, sender: chat, senderAlias: chatAlias };
            return aMessageFact({
              ...names,
              key,
              stanzaId,
              atMs: atMs + 1_000,
              content: { type: 'text', text: { body } },
            });
          }),
        );
        const all = [[result], ...facts.filter(({ length }) => length > 0)];
        world.enqueue(all.map((batch, index) => aBatch(ids, batch, `batch-${index}`)));

        await world.run(fates);

        const told = (await world.eventsOf(ids.tenantId)).flatMap(({ data }) =>
          'content' in data ? [data.content] : [],
        );
        const bodies = batches.flat().map(({ body }) => body);
        const first = bodies.findIndex((body) => body !== 'hi');
        expect(told).toMatchObject(
          bodies.map((body, index) =>
            index === first ? { interactive: { type: 'button_reply', text: { body } } } : { text: { body } },
          ),
        );
      }),
      { numRuns: runs(15, 60) },
    );
  });
});
