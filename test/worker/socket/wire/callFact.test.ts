import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { toCallFact } from '../../../../worker/socket/wire/callFact.ts';

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
