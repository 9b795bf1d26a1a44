import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../../../shared/event/facts/factRows.ts';
import { withArrivalTimes } from '../../../../worker/socket/inbound/arrivalTimes.ts';
import { findOtherNames } from '../../../../worker/socket/people/contactNames.ts';
import type { Me } from '../../../../worker/socket/wire/envelope.ts';
import { toMessageFacts } from '../../../../worker/socket/wire/messageFacts.ts';
import { namelessIn, withOtherNames } from '../../../../worker/socket/wire/otherNames.ts';
import { toCallFact } from '../../../../worker/socket/wire/callFact.ts';
import { readReceipt, toReceiptFacts } from '../../../../worker/socket/wire/receiptFacts.ts';

const me: Me = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const BOB = '4915100000002@s.whatsapp.net';
const BOB_LID = '222@lid';
const GROUP = '120363000000000000@g.us';
/** What the session knows, as Baileys keeps it. */
const known: Readonly<Record<string, string>> = { '4915100000002': '222', '222_reverse': '4915100000002' };
const session = {
  getKeys: async (_type: string, ids: readonly string[]) =>
    Object.fromEntries(ids.flatMap((id) => (known[id] === undefined ? [] : [[id, known[id]]]))),
};

const complete = async (facts: readonly Fact[]): Promise<readonly Fact[]> => {
  const names = await findOtherNames(session, namelessIn(facts), me);
  return facts.map((fact) => withOtherNames(fact, names));
};
const aMessage = async (attrs: Record<string, string>): Promise<Fact | undefined> => {
  const stanza: BinaryNode = { tag: 'message', attrs: { id: 'ID', t: '1790000000', ...attrs } };
  const bytes = proto.Message.encode({ conversation: 'hello' }).finish();
  const told = toMessageFacts(stanza, { outcome: 'unpadded', bytes }, me);
  const [fact] = await complete(told.map((message) => message.fact));
  return fact;
};
const keysOf = (fact: Fact | undefined): readonly string[] => {
  if (fact?.kind !== 'message' && fact?.kind !== 'call') throw new Error('a fact without other keys');
  return [fact.key, ...(fact.otherKeys ?? [])].sort();
};

describe('the names of the people in a fact', () => {
  it.each([
    ['a contact by number', { from: BOB }, { chat: BOB, chatAlias: BOB_LID, sender: BOB, senderAlias: BOB_LID }],
    ['a contact by LID', { from: BOB_LID }, { chat: BOB_LID, chatAlias: BOB, sender: BOB_LID, senderAlias: BOB }],
    ['a member of a group', { from: GROUP, participant: BOB_LID }, { chat: GROUP, sender: BOB_LID, senderAlias: BOB }],
    [
      'ourselves, to a contact',
      { from: me.phoneJid, recipient: BOB },
      { chat: BOB, chatAlias: BOB_LID, sender: me.phoneJid, senderAlias: '111@lid' },
    ],
    [
      'a stranger whose other name the stanza tells',
      { from: '333@lid', sender_pn: '4915100000003:7@s.whatsapp.net' },
      { chat: '333@lid', chatAlias: '4915100000003@s.whatsapp.net', senderAlias: '4915100000003@s.whatsapp.net' },
    ],
  ])('are both there: %s', async (_who, attrs, names) => {
    expect(await aMessage(attrs)).toMatchObject(names);
  });

  it('are left out where nobody knows them, and a group has one', async () => {
    expect(await aMessage({ from: '333@lid' })).not.toHaveProperty('senderAlias');
    expect(await aMessage({ from: GROUP, participant: BOB })).not.toHaveProperty('chatAlias');
  });

  it('are no two names of one kind', async () => {
    expect(await aMessage({ from: '333@lid', sender_lid: '444@lid' })).not.toHaveProperty('senderAlias');
  });

  it.each([
    ['a contact', { from: BOB }, { from: BOB_LID }],
    ['a member of a group', { from: GROUP, participant: BOB }, { from: GROUP, participant: BOB_LID }],
    ['ourselves', { from: me.phoneJid, recipient: BOB }, { from: '111@lid', recipient: BOB_LID }],
    ['ourselves in a group', { from: GROUP, participant: me.phoneJid }, { from: GROUP, participant: '111@lid' }],
  ])('give a message the same keys by number and by LID: %s', async (_who, byNumber, byLid) => {
    expect(keysOf(await aMessage(byNumber))).toEqual(keysOf(await aMessage(byLid)));
  });

  it('give messages of different people no key in common', async () => {
    const ofBob = keysOf(await aMessage({ from: BOB }));

    expect(keysOf(await aMessage({ from: '333@lid' })).filter((key) => ofBob.includes(key))).toEqual([]);
  });

  it('complete receipts and calls, too', async () => {
    const receipt = { tag: 'receipt', attrs: { id: 'ID', from: BOB_LID, t: '1790000000', type: 'read' } };
    const call = (creator: string): BinaryNode => ({
      tag: 'call',
      attrs: { from: creator, t: '1790000000' },
      content: [{ tag: 'offer', attrs: { 'call-id': 'C1', 'call-creator': creator } }],
    });
    const callFacts = [BOB, BOB_LID]
      .map((creator) => toCallFact(call(creator), false))
      .filter((fact) => fact !== undefined);

    const said = readReceipt(receipt, me);
    const [read] = await complete(said === undefined ? [] : toReceiptFacts(said, said.stanzaIds));
    const [byNumber, byLid] = await complete(callFacts);

    expect(read).toMatchObject({ recipient: BOB_LID, recipientAlias: BOB });
    expect([byNumber, byLid]).toMatchObject([{ callerAlias: BOB_LID }, { callerAlias: BOB }]);
    expect(keysOf(byNumber)).toEqual(keysOf(byLid));
  });
});

describe('the time of arrival', () => {
  it('grows from message to message of a connection, also within one millisecond and when the clock goes back', () => {
    const facts = ['one', 'two', 'three'].map((key) => ({ kind: 'message', key }) as Fact);

    const times = [
      ...withArrivalTimes(session, facts, 1_000),
      ...withArrivalTimes(session, facts, 900),
      ...withArrivalTimes({}, facts.slice(0, 1), 900),
    ].map((fact) => (fact.kind === 'message' ? fact.receivedAtMs : undefined));

    expect(times).toEqual([1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 900]);
  });
});
