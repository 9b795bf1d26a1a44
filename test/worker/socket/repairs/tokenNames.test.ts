import { decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';
import { beforeAll, describe, expect, it } from 'vitest';
import { knowOwnTokensOnly } from '../../../../worker/socket/repairs/tokenNames.ts';

/** Every name that an object has without having been given it. */
const names = Object.getOwnPropertyNames(Object.prototype);

describe('a text that is the name of a part of every object', () => {
  beforeAll(knowOwnTokensOnly);

  it.each(names)('leaves as it is: %s', async (name) => {
    const stanza = { tag: 'iq', attrs: { id: '1', subject: name }, content: [{ tag: 'create', attrs: { name } }] };

    expect(await decodeBinaryNode(encodeBinaryNode(stanza))).toEqual(stanza);
  });

  it('leaves texts that WhatsApp abbreviates in their one or two bytes', () => {
    expect(encodeBinaryNode({ tag: 'message', attrs: { type: 'text' } })).toHaveLength(6);
  });
});
