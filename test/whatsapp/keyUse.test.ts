import { BufferJSON } from '@whiskeysockets/baileys';
import { beforeAll, describe, expect, it } from 'vitest';
import { KeyUse } from './keyUse.ts';
import { node, type BinaryNode } from './node.ts';
import { Phone, type SavedPhone } from './phone.ts';
import { silenceConsole } from './silenceConsole.ts';

const ANN = '4915100000001';
const BOB_JID = '900@lid';
const GROUP = '120363000000000001@g.us';
const text = (value: string): Uint8Array => Buffer.concat([Buffer.from(value), Buffer.from([1])]);

/** A phone as it would be if an old copy of its keys had been put back. */
function copyOf(phone: Phone): Phone {
  const saved = JSON.parse(JSON.stringify(phone.save(), BufferJSON.replacer), BufferJSON.reviver) as SavedPhone;
  return new Phone(ANN, '901', saved);
}

async function toBob(phone: Phone, bob: Phone, value: string): Promise<BinaryNode> {
  const sealed = await phone.seal(BOB_JID, text(value), () => bob.takeBundle());
  const enc = node('enc', { type: sealed?.type ?? '' }, sealed?.ciphertext);
  return node('message', {}, [node('participants', {}, [node('to', { jid: BOB_JID }, [enc])])]);
}

async function toGroup(phone: Phone, value: string): Promise<BinaryNode> {
  const { ciphertext } = await phone.sealGroup(GROUP, text(value), []);
  return node('message', {}, [node('enc', { type: 'skmsg' }, ciphertext)]);
}

describe('the count of message keys used twice', () => {
  let ann: Phone;
  let bob: Phone;
  beforeAll(async () => {
    silenceConsole();
    ann = new Phone(ANN, '901');
    bob = new Phone('4915100000002', '900');
    bob.makePreKeys();
  });

  it.each<readonly [what: string, write: (phone: Phone, value: string) => Promise<BinaryNode>]>([
    ['chat', (phone, value) => toBob(phone, bob, value)],
    ['group', toGroup],
  ])('stays 0 while each message of a %s has a key of its own, also when one is sent again', async (_what, write) => {
    const keys = new KeyUse();
    const messages = [await write(ann, 'one'), await write(ann, 'two'), await write(ann, 'three')];

    for (const message of [...messages, ...messages]) keys.note('ann:1', message);

    expect(keys.reused).toBe(0);
  });

  it.each<readonly [what: string, write: (phone: Phone, value: string) => Promise<BinaryNode>]>([
    ['chat', (phone, value) => toBob(phone, bob, value)],
    ['group', toGroup],
  ])('grows when an old state of a %s seals another text', async (_what, write) => {
    const keys = new KeyUse();
    keys.note('ann:1', await write(ann, 'before'));
    const old = copyOf(ann);

    keys.note('ann:1', await write(ann, 'once'));
    keys.note('ann:1', await write(old, 'twice'));

    expect(keys.reused).toBe(1);
  });

  it('knows devices apart', async () => {
    const keys = new KeyUse();
    const old = copyOf(ann);

    keys.note('ann:1', await toGroup(ann, 'once'));
    keys.note('ann:2', await toGroup(old, 'twice'));

    expect(keys.reused).toBe(0);
  });
});
