import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { toCallFact, toCallStatusFact } from '../../../../worker/socket/wire/callFact.ts';

const ANN = '222@lid';
const BOB = '333@lid';

const anOffer = (attrs: Readonly<Record<string, string>>, offer: Readonly<Record<string, string>>): BinaryNode => ({
  tag: 'call',
  attrs: { t: '1790000000', ...attrs },
  content: [{ tag: 'offer', attrs: { 'call-id': 'C1', ...offer } }],
});

describe('the fact of a call', () => {
  it.each<readonly [what: string, attrs: Record<string, string>, offer: Record<string, string>, names: object]>([
    ['a device', { from: '222:5@lid' }, { 'call-creator': ANN }, { caller: ANN }],
    ['who says to be another', { from: BOB }, { 'call-creator': ANN }, { caller: BOB }],
    ['who says to have the number of another', { from: BOB }, { caller_pn: '49151@s.whatsapp.net' }, { caller: BOB }],
    [
      'whose number the server tells',
      { from: BOB, sender_pn: '49152@s.whatsapp.net' },
      { caller_pn: '49151@s.whatsapp.net' },
      { caller: BOB, callerAlias: '49152@s.whatsapp.net' },
    ],
  ])('names the address that the server wrote: %s', (_what, attrs, offer, names) => {
    const { caller, callerAlias } = toCallFact(anOffer(attrs, offer), false) ?? {};

    expect({ caller, ...(callerAlias === undefined ? {} : { callerAlias }) }).toEqual(names);
  });

  it.each([{}, { from: '1@g.us' }, { from: 's.whatsapp.net' }])('is none when nobody calls: %j', (attrs) => {
    expect(toCallFact(anOffer(attrs, { 'call-creator': ANN }), false)).toBeUndefined();
  });
});

describe('the fact of what became of a call', () => {
  const me = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
  const aStanza = (from: string, tag: string, attrs: Readonly<Record<string, string>>): BinaryNode => ({
    tag: 'call',
    attrs: { t: '1790000000', from },
    content: [{ tag, attrs: { 'call-id': 'C1', ...attrs } }],
  });

  it.each<readonly [what: string, stanza: BinaryNode, told: readonly [caller: string, state: string] | undefined]>([
    ['its caller hangs up', aStanza(BOB, 'terminate', { 'call-creator': BOB }), [BOB, 'ended']],
    ['it rang for too long', aStanza(BOB, 'terminate', { 'call-creator': BOB, reason: 'timeout' }), [BOB, 'timeout']],
    ['it was taken elsewhere', aStanza(BOB, 'terminate', { reason: 'accepted_elsewhere' }), [BOB, 'accepted']],
    ['a reason that every object knows', aStanza(BOB, 'terminate', { reason: 'constructor' }), [BOB, 'ended']],
    ['our phone takes it', aStanza('111:0@lid', 'accept', { 'call-creator': BOB }), [BOB, 'accepted']],
    ['our phone refuses it', aStanza('111@lid', 'reject', { 'call-creator': '333:2@lid' }), [BOB, 'rejected']],
    ['who speaks of the call of another', aStanza(ANN, 'terminate', { 'call-creator': BOB }), [ANN, 'ended']],
    ['who answers a call of ours', aStanza(BOB, 'accept', { 'call-creator': '111:0@lid' }), undefined],
    ['a call of ours that our phone ends', aStanza('111@lid', 'terminate', { 'call-creator': '111@lid' }), undefined],
    ['nobody', aStanza('1@g.us', 'terminate', { 'call-creator': BOB }), undefined],
    ['something else', aStanza(BOB, 'transport', { 'call-creator': BOB }), undefined],
    ['no call', aStanza(BOB, 'terminate', { 'call-id': '' }), undefined],
  ])('is the word of its caller or of our own devices: %s', (_what, stanza, told) => {
    const fact = toCallStatusFact(stanza, me);

    expect(fact && [fact.caller, fact.state]).toEqual(told);
  });
});
