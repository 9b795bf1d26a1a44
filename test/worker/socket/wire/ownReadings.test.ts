import { describe, expect, it } from 'vitest';
import { readOwnReading, readReceipt } from '../../../../worker/socket/wire/receiptFacts.ts';

const me = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const ANN = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const aReceipt = (attrs: Readonly<Record<string, string>>) => ({
  tag: 'receipt',
  attrs: { id: 'S1', t: '1790000000', type: 'read', ...attrs },
});

describe('what another device of the account has shown', () => {
  it.each([
    ['a chat by number', { from: me.phoneJid, recipient: ANN }, ANN],
    ['a chat by LID, on a device', { from: '111:3@lid', recipient: '222@lid' }, '222@lid'],
    ['where the account tells nobody', { from: me.phoneJid, recipient: ANN, type: 'read-self' }, ANN],
    ['a voice note that was played', { from: me.phoneJid, recipient: ANN, type: 'played' }, ANN],
    ['a group', { from: GROUP, participant: '111@lid' }, GROUP],
  ])('is known: %s', (_what, attrs, chat) => {
    const stanza = aReceipt(attrs);

    expect(readOwnReading(stanza, me)).toMatchObject({ kind: 'chat_read', chat, atMs: 1_790_000_000_000 });
    expect(readReceipt(stanza, me)).toBeUndefined();
  });

  it.each([
    ['somebody else, who names a chat of the account', { from: ANN, recipient: '222@lid' }],
    ['somebody else in a group', { from: GROUP, participant: '222@lid' }],
    ['a delivery to a device of the account', { from: me.phoneJid, recipient: ANN, type: 'sender' }],
    ['a status', { from: 'status@broadcast', participant: me.phoneJid }],
    ['the chat with oneself', { from: me.phoneJid, recipient: me.phoneJid }],
    ['no chat at all', { from: me.phoneJid }],
    ['a word that every object knows', { from: me.phoneJid, recipient: ANN, type: 'constructor' }],
  ])('is not told by %s', (_what, attrs) => {
    expect(readOwnReading(aReceipt(attrs), me)).toBeUndefined();
  });
});
