import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { ReceiptFact } from '../../../../shared/event/facts/receiptFact.ts';
import { readReceipt, toReceiptFacts } from '../../../../worker/socket/wire/receiptFacts.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const BOB = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';

const aReceipt = (attrs: Readonly<Record<string, string>>, listed: readonly string[] = []): BinaryNode => ({
  tag: 'receipt',
  attrs: { id: 'ONE', t: '1790000000', ...attrs },
  content: [{ tag: 'list', attrs: {}, content: listed.map((id) => ({ tag: 'item', attrs: { id } })) }],
});

function factsOf(stanza: BinaryNode): readonly ReceiptFact[] {
  const receipt = readReceipt(stanza, ME);
  return receipt === undefined ? [] : toReceiptFacts(receipt, receipt.stanzaIds);
}

describe('the facts of a receipt', () => {
  it.each<readonly [what: string, attrs: Readonly<Record<string, string>>, facts: readonly object[]]>([
    ['a device of a person', { from: '4915100000002:7@s.whatsapp.net' }, [{ chat: BOB, recipient: BOB }]],
    ['a member of a group', { from: GROUP, participant: '222:3@lid' }, [{ chat: GROUP, recipient: '222@lid' }]],
    ['a person who names himself', { from: BOB, participant: BOB }, [{ chat: BOB, recipient: BOB }]],
    ['a person who names another', { from: BOB, participant: '333@lid' }, []],
    ['our own phone', { from: ME.phoneJid }, []],
    ['our own phone in a group', { from: GROUP, participant: '111@lid' }, []],
  ])('name who the server says they are from: %s', (_what, attrs, facts) => {
    expect(factsOf(aReceipt(attrs))).toMatchObject(facts);
  });

  it('are one for each message that is named, however often', () => {
    const named = factsOf(aReceipt({ from: BOB, type: 'read' }, ['TWO', 'ONE', '', 'TWO']));
    const listed = Array.from({ length: 20_000 }, (_, index) => `${index}`);
    const many = readReceipt(aReceipt({ from: BOB }, listed), ME);

    expect(named.map(({ stanzaId }) => stanzaId)).toEqual(['ONE', 'TWO']);
    expect(many?.stanzaIds).toEqual(['ONE', ...listed]);
  });
});
