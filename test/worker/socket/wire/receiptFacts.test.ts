import { describe, expect, it } from 'vitest';
import { toCloseCause } from '../../../../worker/runner/closeRules.ts';
import { readReceipt } from '../../../../worker/socket/wire/receiptFacts.ts';

const me = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const namesOfObjects = Object.getOwnPropertyNames(Object.prototype);

describe('words from outside that every object knows', () => {
  it.each(namesOfObjects)('are no kind of receipt: %s', (type) => {
    const stanza = { tag: 'receipt', attrs: { id: 'ID', from: '222@lid', t: '1790000000', type } };

    expect(readReceipt(stanza, me)).toBeUndefined();
  });

  it.each(namesOfObjects)('are no cause of a close: %s', (node) => {
    expect(toCloseCause({ statusCode: 503, node, wasLogin: true }, 'linked')).toBe('server_unavailable');
  });
});
