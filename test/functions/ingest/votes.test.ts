import { createHash } from 'node:crypto';
import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { toPollView } from '../../../functions/routes/pollView.ts';
import { eventSchema, type TenantEvent } from '../../../shared/event/event.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { OutboundContent } from '../../../shared/content/content.ts';
import { resultsOf, withVote } from '../../../shared/message/pollVotes.ts';
import { hashOfOption } from '../../../shared/wire/openedKinds.ts';
import type { SealUse } from '../../../shared/wire/sealed.ts';
import { toMessageFacts } from '../../../worker/socket/wire/messageFacts.ts';
import { withOtherNames } from '../../../worker/socket/wire/otherNames.ts';
import { aBatch, aSentMessage, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { sealWith } from '../../shared/wire/sealing.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const BOB = { number: '4915100000002@s.whatsapp.net', lid: '222@lid' };
const CLEO = { number: '4915100000003@s.whatsapp.net', lid: '333@lid' };
const NAMES = new Map([BOB, CLEO].flatMap(({ number, lid }) => [[number, lid] as const, [lid, number] as const]));
const NAMED = ['number', 'lid'] as const;
const GROUP = '120363000000000001@g.us';
const SECRET = Buffer.alloc(32, 7);
const OPTIONS = ['Noodles', 'Rice', 'Soup 🍜'];

interface Sent {
  readonly id: string;
  readonly message: proto.IMessage;
  /** The address of the writer, in the group. */
  readonly by: string;
}

const sealed = (use: SealUse, stanzaId: string, names: Parameters<typeof sealWith>[2], bytes: Uint8Array) =>
  sealWith(use, { secret: SECRET, stanzaId }, names, bytes);
const keyOf = (id: string, participant: string): proto.IMessageKey => ({ remoteJid: GROUP, id, participant });
const hashOf = (option: string): Buffer => createHash('sha256').update(option).digest();

function aVote(
  poll: { readonly id: string; readonly author: string },
  actor: string,
  options: readonly string[],
): proto.IMessage {
  const bytes = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hashOf) }).finish();
  return {
    pollUpdateMessage: {
      pollCreationMessageKey: keyOf(poll.id, poll.author),
      vote: sealed('vote', poll.id, { author: poll.author, actor }, bytes),
    },
  };
}

describe('votes', () => {
  const room = eventRoom();

  const record = (...sent: readonly Sent[]) => {
    const facts = sent.flatMap(({ id, message, by }) => {
      const stanza: BinaryNode = { tag: 'message', attrs: { id, t: '1790000000', from: GROUP, participant: by } };
      const bytes = proto.Message.encode(message).finish();
      return toMessageFacts(stanza, { outcome: 'unpadded', bytes }, ME).map(({ fact }) => withOtherNames(fact, NAMES));
    });
    return recordFacts(room.stores, aBatch(room.ids, facts, room.nextBatchId()));
  };
  const aPoll = (extra: proto.Message.IPollCreationMessage = {}): proto.IMessage => ({
    pollCreationMessageV3: { name: 'Lunch?', options: OPTIONS.map((optionName) => ({ optionName })), ...extra },
    messageContextInfo: { messageSecret: SECRET },
  });
  const contents = async () => {
    const { events } = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    expect(events.map((event) => eventSchema.parse(event))).toEqual(events);
    return events.map((event: TenantEvent) => ('content' in event.data ? event.data.content : undefined));
  };
  const pollRow = async (stanzaId: string) => {
    const { messages } = await room.stores.messages.list(room.ids.connectionId, {
      before: undefined,
      limit: 100,
      nowMs: 0,
    });
    const row = messages.find((message) => message.stanzaId === stanzaId);
    if (row === undefined) throw new Error('the poll is not there');
    return row;
  };

  it.each(NAMED.flatMap((poll) => NAMED.map((vote) => ({ poll, vote }))))(
    'are opened whichever names they are bound to: the poll to a $poll, the vote to a $vote',
    async (names) => {
      const [author, actor] = [BOB[names.poll], CLEO[names.vote]];
      await record({ id: 'POLL', message: aPoll(), by: BOB.lid });
      await record({ id: 'VOTE', message: aVote({ id: 'POLL', author }, actor, ['Rice']), by: CLEO.lid });

      const row = await pollRow('POLL');
      expect((await contents()).at(-1)).toEqual({
        type: 'poll_vote',
        poll_vote: {
          message_id: row.messageId,
          options: ['Rice'],
          voters: 1,
          results: [
            { name: 'Noodles', votes: 0 },
            { name: 'Rice', votes: 1 },
            { name: 'Soup 🍜', votes: 0 },
          ],
        },
      });
    },
  );

  it('take the place of an earlier one of the same person, by number or by LID, also in one batch', async () => {
    const poll = { id: 'POLL', author: BOB.lid };
    await record(
      { id: 'POLL', message: aPoll(), by: BOB.lid },
      { id: 'ONE', message: aVote(poll, CLEO.lid, ['Rice', 'Noodles']), by: CLEO.lid },
      { id: 'TWO', message: aVote(poll, BOB.lid, ['Rice']), by: BOB.lid },
      { id: 'THREE', message: aVote(poll, CLEO.number, ['Soup 🍜']), by: CLEO.number },
      { id: 'FOUR', message: aVote(poll, ME.lid, ['Rice']), by: ME.lid },
    );

    expect(toPollView(await pollRow('POLL'))).toMatchObject({
      name: 'Lunch?',
      voters: 3,
      options: [
        { name: 'Noodles', votes: 0, voters: [] },
        { name: 'Rice', votes: 2, voters: [{ lid: BOB.lid }], ownVote: true },
        { name: 'Soup 🍜', votes: 1, voters: [{ lid: CLEO.lid }] },
      ],
    });

    await record({ id: 'FIVE', message: aVote(poll, CLEO.lid, []), by: CLEO.lid });
    expect(toPollView(await pollRow('POLL'))).toMatchObject({ voters: 2, options: [{}, { votes: 2 }, { votes: 0 }] });
  });

  it('are counted in a poll that was sent through the API', async () => {
    const content = { type: 'poll', poll: { name: 'Lunch?', options: OPTIONS } } as unknown as OutboundContent;
    const secret = SECRET.toString('base64url');
    const sent = aSentMessage(room.ids, { to: GROUP, state: 'sent', content, secret });
    await room.stores.messages.create(sent, 0);
    for (const author of [ME.phoneJid, ME.lid]) {
      const message = aVote({ id: sent.stanzaId, author }, CLEO.lid, ['Soup 🍜', 'never seen']);

      await record({ id: `VOTE-${author}`, message, by: CLEO.lid });

      expect((await contents()).at(-1)).toMatchObject({
        poll_vote: { message_id: sent.messageId, options: ['Soup 🍜'], unknown_options: 1, voters: 1 },
      });
    }
    const row = await room.stores.messages.find(room.ids.connectionId, sent.messageId);
    expect(row && toPollView(row)).toMatchObject({ options: [{}, {}, { votes: 1 }] });
  });

  it('of our own, sent through the API, count once with those of our other devices', async () => {
    await record({ id: 'POLL', message: aPoll(), by: BOB.lid });
    const poll = await pollRow('POLL');
    const votedFor = async (options: readonly string[]) => {
      const content: OutboundContent = {
        type: 'poll_vote',
        poll_vote: { message_id: poll.messageId, options: [...options] },
      };
      const sent = aSentMessage(room.ids, { to: GROUP, state: 'sending', content });
      await room.stores.messages.create(sent, 0);
      const { messageId } = sent;
      const changed = { changedId: poll.messageId, changedStanzaId: 'POLL' };
      const fact = { kind: 'send_result', key: `result:${messageId}`, atMs: 1_790_000_060_000, messageId } as const;
      const batch = aBatch(room.ids, [{ ...fact, state: 'sent', ...changed }], room.nextBatchId());
      await recordFacts(room.stores, batch);
      // It is published again by a worker that does not know that it was, and a death repeats a batch.
      await recordFacts(room.stores, batch);
      await recordFacts(room.stores, { ...batch, batchId: `${batch.batchId}-again` });
    };
    const own = async () =>
      toPollView(await pollRow('POLL'))?.options.flatMap(({ name, ownVote }) => (ownVote ? name : []));

    await votedFor(['Rice']);
    expect(await own()).toEqual(['Rice']);
    expect(toPollView(await pollRow('POLL'))).toMatchObject({ voters: 1, options: [{}, { votes: 1, voters: [] }, {}] });
    await record({ id: 'PHONE', message: aVote({ id: 'POLL', author: BOB.lid }, ME.lid, ['Noodles']), by: ME.lid });
    expect(await own()).toEqual(['Noodles']);
    await votedFor(['Soup 🍜']);
    expect(await own()).toEqual(['Soup 🍜']);
    await votedFor([]);
    expect(toPollView(await pollRow('POLL'))).toMatchObject({ voters: 0 });
  });

  it.each([
    ['the poll is not known', { id: 'LOST', author: BOB.lid }, CLEO.lid],
    ['somebody else is said to vote', { id: 'POLL', author: BOB.lid }, '999@lid'],
  ])('stay closed where %s', async (_why, poll, actor) => {
    await record({ id: 'POLL', message: aPoll(), by: BOB.lid });
    await record({ id: 'VOTE', message: aVote(poll, actor, ['Rice']), by: CLEO.lid });

    expect((await contents()).at(-1)).toEqual({ type: 'unsupported', unsupported: { kind: 'pollUpdate' } });
    expect(toPollView(await pollRow('POLL'))).toMatchObject({ voters: 0 });
  });

  it('that are nonsense are no votes', async () => {
    await record({ id: 'POLL', message: aPoll(), by: BOB.lid });
    const vote = sealed('vote', 'POLL', { author: BOB.lid, actor: CLEO.lid }, Buffer.from([0x0a]));
    const message = { pollUpdateMessage: { pollCreationMessageKey: keyOf('POLL', BOB.lid), vote } };

    await record({ id: 'VOTE', message, by: CLEO.lid });

    expect((await contents()).at(-1)).toMatchObject({ type: 'unsupported' });
  });

  it('of a thousand people are counted, and the row stays small enough', async () => {
    await record({ id: 'POLL', message: aPoll(), by: BOB.lid });
    const voters = Array.from({ length: 60 }, (_, index) => `${1_000_000_000_000 + index}@lid`);

    await record(
      ...voters.map((voter) => ({
        id: `VOTE-${voter}`,
        message: aVote({ id: 'POLL', author: BOB.lid }, voter, ['Rice']),
        by: voter,
      })),
    );

    const row = await pollRow('POLL');
    expect(toPollView(row)).toMatchObject({ voters: 60, options: [{}, { votes: 60 }, {}] });
    expect((JSON.stringify(row.votes).length / 60) * 1_024).toBeLessThan(120_000);
  });

  it('of a member who chooses everything there could be take no more room than others', async () => {
    await record({ id: 'POLL', message: aPoll(), by: BOB.lid });
    const everything = Array.from({ length: 8_000 }, (_, index) => hashOf(`option ${index}`));
    const tiny = Array.from({ length: 8_000 }, (_, index) => Buffer.from(String(index)));
    for (const [index, selectedOptions] of [tiny, everything, [...everything, hashOf('Rice')]].entries()) {
      const bytes = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
      const vote = sealed('vote', 'POLL', { author: BOB.lid, actor: CLEO.lid }, bytes);
      const message = { pollUpdateMessage: { pollCreationMessageKey: keyOf('POLL', BOB.lid), vote } };
      await record({ id: `VOTE-${index}`, message, by: CLEO.lid });
    }
    await record({ id: 'HONEST', message: aVote({ id: 'POLL', author: BOB.lid }, BOB.lid, ['Rice']), by: BOB.lid });

    const row = await pollRow('POLL');
    expect(JSON.stringify(row.votes).length).toBeLessThan(400);
    expect(toPollView(row)).toMatchObject({ voters: 2, options: [{}, { votes: 1 }, {}] });
    expect((await contents()).slice(1)).toMatchObject([
      { poll_vote: { options: [], voters: 0 } },
      { poll_vote: { options: [], unknown_options: 64 } },
      { poll_vote: { options: [], unknown_options: 64 } },
      { poll_vote: { options: ['Rice'], voters: 2 } },
    ]);
  });

  it('count once for an option that stands twice in its poll', async () => {
    const options = ['Rice', 'Rice', 'Soup'].map((optionName) => ({ optionName }));
    await record({ id: 'POLL', message: aPoll({ options }), by: BOB.lid });

    await record({ id: 'VOTE', message: aVote({ id: 'POLL', author: BOB.lid }, CLEO.lid, ['Rice']), by: CLEO.lid });

    const told = (await contents()).at(-1);
    expect(told).toMatchObject({ poll_vote: { options: ['Rice'], voters: 1 } });
    expect(told).not.toHaveProperty('poll_vote.unknown_options');
  });

  it('of a person whose other name is not told any more take the place of the earlier one', () => {
    const both = withVote({}, { voter: [CLEO.lid, CLEO.number], chosen: [hashOfOption('Rice')] });
    const poll = { options: OPTIONS, name: '', mostChosen: 1, isCut: false };

    const again = withVote(both, { voter: [CLEO.number], chosen: [hashOfOption('Noodles')] });

    expect(resultsOf(poll, again)).toEqual([
      { name: 'Noodles', voters: [[CLEO.lid, CLEO.number]] },
      { name: 'Rice', voters: [] },
      { name: 'Soup 🍜', voters: [] },
    ]);
    expect(withVote(again, { voter: [CLEO.number], chosen: [] })).toEqual({});
  });

  it('for an event are answers', async () => {
    const eventMessage = { name: 'Party', startTime: 1_800_000_000 };
    await record({
      id: 'EVENT',
      message: { eventMessage, messageContextInfo: { messageSecret: SECRET } },
      by: BOB.lid,
    });
    const bytes = proto.Message.EventResponseMessage.encode({ response: 1, extraGuestCount: 2 }).finish();
    const answer = sealed('event_response', 'EVENT', { author: BOB.number, actor: CLEO.lid }, bytes);
    const encEventResponseMessage = { eventCreationMessageKey: keyOf('EVENT', BOB.lid), ...answer };

    await record({ id: 'ANSWER', message: { encEventResponseMessage }, by: CLEO.lid });

    const row = await pollRow('EVENT');
    expect((await contents()).at(-1)).toEqual({
      type: 'event_response',
      event_response: { message_id: row.messageId, response: 'going', extra_guests: 2 },
    });
  });
});
