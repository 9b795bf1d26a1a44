import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import type { OutboundContent } from '../../../shared/content/content.ts';
import { eventSchema } from '../../../shared/event/event.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { messageKey } from '../../../shared/event/facts/messageKey.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { hashOfOption } from '../../../shared/wire/openedKinds.ts';
import { seal } from '../../../shared/wire/sealed.ts';
import { interactives } from '../../shared/message/requests.ts';
import { aBatch, aMessageFact, aSentMessage, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';

const ANN = '4915100000002@s.whatsapp.net';
const ANN_LID = '222@lid';
const EVE = '4915100000009@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const ME = '4915100000001@s.whatsapp.net';
const SECRET = Buffer.alloc(32, 7);
const DAY_MS = 86_400_000;

interface Written {
  readonly id: string;
  readonly body: string;
  readonly chat?: string;
  readonly chatAlias?: string;
  readonly sender?: string;
  readonly quotes?: SentMessage;
  readonly afterMs?: number;
  readonly fromMe?: boolean;
}

describe('answers to buttons and lists that were sent as text', () => {
  const room = eventRoom();

  const record = (...facts: readonly Fact[]) => recordFacts(room.stores, aBatch(room.ids, facts, room.nextBatchId()));
  const asked = (fallback: 'text' | 'poll' = 'text', kind: 'button' | 'list' = 'button') =>
    ({ type: 'interactive', interactive: { ...interactives[kind], fallback } }) as unknown as OutboundContent;
  /** Asks something, and WhatsApp has it. */
  const ask = async (overrides: Partial<SentMessage> = {}, toAlias?: string): Promise<SentMessage> => {
    const createdAtMs = room.stores.clock.nowMs();
    const secret = SECRET.toString('base64url');
    const sent = aSentMessage(room.ids, { to: ANN, content: asked(), createdAtMs, secret, ...overrides });
    await room.stores.messages.create(sent, 0);
    await record({
      kind: 'send_result',
      key: `result:${sent.messageId}`,
      atMs: createdAtMs,
      messageId: sent.messageId,
      state: 'sent',
      ...(toAlias === undefined ? {} : { toAlias }),
    });
    return sent;
  };
  const said = ({
    id,
    body,
    chat = ANN,
    chatAlias,
    sender = chat,
    quotes,
    afterMs = 1_000,
    fromMe = false,
  }: Written) => {
    const stanzaId = id as StanzaId;
    const atMs = room.stores.clock.nowMs() + afterMs;
    const content = { type: 'text', text: { body } } as const;
    const context = quotes && { context: { replyTo: { stanzaId: quotes.stanzaId, sender: ME } } };
    const key = messageKey({ chat, sender, stanzaId, fromMe });
    const alias = chatAlias === undefined ? {} : { chatAlias, senderAlias: chatAlias };
    return aMessageFact({ key, stanzaId, atMs, chat, sender, fromMe, content, ...alias, ...context });
  };
  const contents = async () => {
    const { events } = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    expect(events.map((event) => eventSchema.parse(event))).toEqual(events);
    return events.flatMap(({ data }) => ('content' in data ? [data.content] : []));
  };
  const last = async () => (await contents()).at(-1);
  const text = (body: string) => ({ type: 'text', text: { body } });
  const yes = { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } };

  it.each([
    ['its number', '1'],
    ['its title', ' yes'],
  ])('that quote the message are choices, beside what was written: %s', async (_what, body) => {
    const sent = await ask();
    await record(said({ id: 'ONE', body, quotes: sent }));
    await record(said({ id: 'TWO', body: '2', quotes: sent }));

    const beside = { message_id: sent.messageId };
    expect(await contents()).toEqual([
      { type: 'interactive', interactive: { ...yes, ...beside, text: { body } } },
      {
        type: 'interactive',
        interactive: { type: 'button_reply', button_reply: { id: 'no', title: 'No' }, ...beside, text: { body: '2' } },
      },
    ]);
    const { events } = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    expect(events.at(-1)?.data).toMatchObject({ context: { replyTo: { messageId: sent.messageId } } });
  });

  it('have the description of a row, and are choices in a group, too, where they quote', async () => {
    const sent = await ask({ to: GROUP, content: asked('text', 'list') });
    await record(said({ id: 'ONE', body: '1', chat: GROUP, sender: ANN, quotes: sent }));
    await record(said({ id: 'TWO', body: '1', chat: GROUP, sender: ANN }));

    const [quoted, bare] = await contents();
    const { id, title } = (interactives['list'] as unknown as { action: { sections: [{ rows: [Option] }] } }).action
      .sections[0].rows[0];
    expect(quoted).toMatchObject({ interactive: { type: 'list_reply', list_reply: { id, title } } });
    expect(bare).toEqual(text('1'));
  });

  it('that quote nothing are choices once, the first after the last such message, whichever name the chat has', async () => {
    const first = await ask({ to: ANN }, ANN_LID);
    const second = await ask({ to: ANN }, ANN_LID);
    expect(first.messageId).not.toBe(second.messageId);
    await record(
      said({ id: 'ONE', body: '2', chat: ANN_LID }),
      said({ id: 'TWO', body: '1', chat: ANN, chatAlias: ANN_LID }),
    );
    const third = await ask({ to: ANN_LID }, ANN);
    await record(said({ id: 'THREE', body: 'Yes', chat: '333@lid', chatAlias: ANN }));

    expect(await contents()).toMatchObject([
      { interactive: { button_reply: { id: 'no' }, message_id: second.messageId } },
      text('1'),
      { interactive: { button_reply: { id: 'yes' }, message_id: third.messageId, text: { body: 'Yes' } } },
    ]);
  });

  it('come to the same where a batch comes again', async () => {
    await ask();
    const batch = aBatch(room.ids, [said({ id: 'ONE', body: '1' })], 'batch-of-an-answer');

    await recordFacts(room.stores, batch);
    await recordFacts(room.stores, batch);
    await recordFacts(room.stores, { ...batch, batchId: 'batch-of-an-answer-again' });

    expect(await contents()).toMatchObject([{ interactive: yes }]);
  });

  it.each<readonly [string, Partial<SentMessage>, Omit<Written, 'quotes'> & { readonly isQuote?: true }]>([
    ['of somebody else, in a chat of his own', {}, { id: 'ONE', body: '1', chat: EVE }],
    ['that quote a message of another chat', {}, { id: 'ONE', body: '1', chat: EVE, isQuote: true }],
    ['of our own phone', {}, { id: 'ONE', body: '1', fromMe: true }],
    ['that were written before', {}, { id: 'ONE', body: '1', afterMs: -5_000 }],
    ['that come after a day', {}, { id: 'ONE', body: '1', afterMs: DAY_MS }],
    ['that are longer', {}, { id: 'ONE', body: '1 please' }],
    ['that are no option', {}, { id: 'ONE', body: '3' }],
    ['to what was taken back', { deletedAtMs: 1 }, { id: 'ONE', body: '1', isQuote: true }],
    ['to a text', { content: text('1. Yes') as OutboundContent }, { id: 'ONE', body: '1', isQuote: true }],
    ['to a poll, by number', { content: asked('poll') }, { id: 'ONE', body: '1', isQuote: true }],
  ])('stay texts: those %s', async (_what, sent, { isQuote, ...written }) => {
    const question = await ask(sent);

    await record(said({ ...written, ...(isQuote === true ? { quotes: question } : {}) }));

    expect(await last()).toEqual(text(written.body));
  });

  it('cost no look where they are longer than three characters, and one where they are not', async () => {
    await ask();
    const send = vi.spyOn(room.stores.table, 'send');
    const rowsRead = (): number =>
      send.mock.calls.flatMap(([command]) =>
        (command as object) instanceof BatchGetCommand
          ? Object.values((command as unknown as BatchGetCommand).input.RequestItems ?? {}).flatMap(({ Keys }) => Keys)
          : [],
      ).length;
    await record(said({ id: 'LONG', body: 'Yes please' }));
    const long = rowsRead();
    send.mockClear();
    await record(said({ id: 'SHORT', body: '1', chat: EVE }));
    const short = rowsRead();
    send.mockRestore();

    expect({ long, short }).toEqual({ long: 1, short: 2 });
  });

  it.each([
    ['one option is that choice', ['Yes'], { type: 'interactive', interactive: yes }],
    ['no option any more is a vote', [], { type: 'poll_vote', poll_vote: { options: [], voters: 0 } }],
    ['two options of one is a vote', ['Yes', 'No'], { type: 'poll_vote', poll_vote: { options: ['Yes', 'No'] } }],
    ['what is no option is a vote', ['Yes', 'Perhaps'], { type: 'poll_vote', poll_vote: { unknown_options: 1 } }],
    ['one option of what was taken back is a vote', ['Yes'], { type: 'poll_vote', poll_vote: { voters: 1 } }, 1],
  ])('are votes where it was sent as a poll: %s', async (_what, options, told, deletedAtMs?: number) => {
    const sent = await ask({ content: asked('poll'), ...(deletedAtMs === undefined ? {} : { deletedAtMs }) });
    // A vote is the bytes of its hashes, each with the tag of a field and a length.
    const plain = Buffer.concat(
      options.flatMap((option) => [Buffer.from([0x0a, 32]), Buffer.from(hashOfOption(option), 'hex')]),
    );
    const names = { author: ME, actor: ANN };
    const { payload, iv } = seal('vote', plain, { secret: SECRET, stanzaId: sent.stanzaId }, names, Buffer.alloc(12));
    const fact = said({ id: 'VOTE', body: '' });
    const sealed = {
      use: 'vote',
      payload: Buffer.from(payload).toString('base64'),
      iv: Buffer.from(iv).toString('base64'),
    } as const;
    await record({
      ...(fact as Extract<Fact, { kind: 'message' }>),
      content: { type: 'unsupported', unsupported: { kind: 'pollUpdate' } },
      originalId: sent.stanzaId,
      originalSender: ME,
      originalFromMe: true,
      sealed,
    });

    expect(await last()).toMatchObject(told);
    expect(await last()).toMatchObject({ [told.type]: { message_id: sent.messageId } });
  });
});

interface Option {
  readonly id: string;
  readonly title: string;
}
