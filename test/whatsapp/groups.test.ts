import { describe, expect, it } from 'vitest';
import { PlainAccount, textsOf } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { useStage } from './sockets.ts';
import { until } from './until.ts';
import { lidOf } from './world.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
const CAT = '4915100000003';

describe('groups of phones and real Baileys sockets', () => {
  const stage = useStage({ Ann: ANN, Bob: BOB, Cat: CAT });
  const shownAt = (number: string, text: string) =>
    until(
      `"${text}" at ${number}`,
      () => stage.client().messages(number),
      (messages) => messages.some((message) => message.text === text),
    );

  it('a socket writes to a group, and every phone reads it and says so', async () => {
    const ann = await stage.pair(ANN);
    const { id } = await ann.socket.groupCreate(
      'Friends',
      [BOB, CAT].map((number) => `${number}@s.whatsapp.net`),
    );

    await ann.socket.sendMessage(id, { text: 'hello all' });
    await ann.socket.sendMessage(id, { text: 'and again' });
    await Promise.all([BOB, CAT, ANN].map((number) => shownAt(number, 'and again')));
    const [atAnn] = await until(
      'the receipts of both',
      () => stage.client().messages(ANN),
      ([first]) => first?.status === 'delivered',
    );

    expect(atAnn).toMatchObject({ chat: id, fromMe: true, receipts: { [BOB]: 'delivered', [CAT]: 'delivered' } });
    expect((await stage.client().messages(BOB)).map(({ from, chat, text }) => [from, chat, text])).toEqual([
      [ANN, id, 'hello all'],
      [ANN, id, 'and again'],
    ]);
    expect(await stage.client().stats()).toMatchObject({ undecryptable: 0, outOfOrder: 0, duplicates: 0, resent: 0 });
  });

  it('phones write to a group, and sockets of members and of the writer read it', async () => {
    const [ann, bob] = [await stage.pair(ANN), await stage.pair(BOB)];
    const { id } = await stage.client().addGroup(CAT, 'Club', [ANN, BOB]);

    await stage.client().write(CAT, id, 'one');
    await stage.client().write(CAT, id, 'two');
    await stage.client().write(BOB, id, 'three');
    for (const socket of [ann, bob]) {
      await until(
        'three messages',
        () => textsOf(socket),
        (texts) => texts.length === 3,
      );
    }

    expect(textsOf(ann)).toEqual(['one', 'two', 'three']);
    expect(bob.received.map(({ key }) => key.fromMe)).toEqual([false, false, true]);
    expect((await ann.socket.groupMetadata(id)).participants.map(({ admin }) => admin)).toEqual([
      'superadmin',
      null,
      null,
    ]);
    expect(await stage.client().stats()).toMatchObject({ undecryptable: 0 });
  });

  it('who was removed reads no more, and may not write', async () => {
    const ann = await stage.pair(ANN);
    const { id } = await stage.client().addGroup(BOB, 'Club', [ANN, CAT]);
    await stage.client().write(BOB, id, 'for three');
    await shownAt(CAT, 'for three');

    await stage.client().changeMembers(id, BOB, 'remove', [CAT]);
    await stage.client().write(BOB, id, 'for two');
    await until(
      'the message for two',
      () => textsOf(ann),
      (texts) => texts.includes('for two'),
    );

    expect((await stage.client().messages(CAT)).map(({ text }) => text)).toEqual(['for three']);
    await expect(stage.client().write(CAT, id, 'let me in')).rejects.toThrow('not a member');
    await expect(stage.client().changeMembers(id, ANN, 'add', [CAT])).rejects.toThrow('admin');
  });

  it('a reader of a group message tells its sender', async () => {
    const ann = await stage.pair(ANN);
    const { id } = await stage.client().addGroup(BOB, 'Club', [ANN]);
    const stanzaId = await stage.client().write(BOB, id, 'read this');
    await until(
      'the message',
      () => textsOf(ann),
      (texts) => texts.length === 1,
    );

    await ann.socket.readMessages(ann.received.map(({ key }) => key));
    const entry = await until(
      'the read receipt',
      async () => (await stage.client().messages(BOB)).find((message) => message.id === stanzaId),
      (message) => message?.status === 'read',
    );

    expect(entry?.receipts).toEqual({ [ANN]: 'read' });
  });

  it('a group message that a client or a phone could not read is repeated', async () => {
    const account = new PlainAccount();
    const ann = await stage.pair(ANN, account);
    const { id } = await stage.client().addGroup(BOB, 'Club', [ANN, CAT]);
    await stage.client().write(BOB, id, 'from Bob');
    await until(
      'the first message',
      () => textsOf(ann),
      (texts) => texts.includes('from Bob'),
    );
    await ann.socket.sendMessage(id, { text: 'from Ann' });
    await Promise.all([BOB, CAT].map((number) => shownAt(number, 'from Ann')));

    account.forget('sender-key', lidOf(BOB));
    await stage.client().write(BOB, id, 'to a client that lost the key');
    await until(
      'the repeated message',
      () => textsOf(ann),
      (texts) => texts.includes('to a client that lost the key'),
    );
    const values = stage.whatsApp().world.accounts.get(BOB)?.phone.save().values;
    if (values !== undefined) values['sender-key'] = {};
    await ann.socket.sendMessage(id, { text: 'to a phone that lost the key' });
    await Promise.all([BOB, CAT].map((number) => shownAt(number, 'to a phone that lost the key')));

    expect((await stage.client().failures(BOB)).length).toBe(1);
    expect(await stage.client().failures(CAT)).toEqual([]);
    expect(await stage.client().stats()).toMatchObject({ retryRequests: 2, resent: 0, duplicates: 0 });
  });
});
