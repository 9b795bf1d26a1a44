import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { HostileStage, MALLORY, SHOP } from './hostileStage.ts';
import { field } from './wire.ts';

const UNDECRYPTABLE = 500;
const SENDERS = 12;
const FROM_EACH = 20;
const SENDER_KEYS = 200;
const IDS = 20_000;

describe('a flood of what costs its reader something', () => {
  let stage: HostileStage;
  beforeAll(async () => {
    stage = await HostileStage.start();
  });
  afterAll(() => stage.stop());

  const unreadable = (number: string) =>
    stage.phones.raw(number, { to: SHOP, ciphertext: randomBytes(80).toString('base64') });

  it('messages that nobody can read: 500 of one contact', async () => {
    for (let index = 0; index < UNDECRYPTABLE; index += 1) await unreadable(MALLORY);

    await stage.assertNeighbourHeard();
    await stage.assertHeld();
  });

  it('messages that nobody can read, of twelve contacts who have never written', async () => {
    const numbers = Array.from({ length: SENDERS }, (_, index) => String(4_915_200_000_000 + index));
    for (const number of numbers) await stage.phones.addPhone(number, '😈');
    for (let round = 0; round < FROM_EACH; round += 1) {
      for (const number of numbers) await unreadable(number);
    }

    await stage.assertNeighbourHeard();
    await stage.assertHeld();
  });

  it('sender keys for groups that do not exist', async () => {
    for (let index = 0; index < SENDER_KEYS; index += 1) {
      const groupId = field(1, Buffer.from(index === 0 ? `${'1'.repeat(1_200)}@g.us` : `${index}@g.us`));
      const key = field(2, randomBytes(80));
      const plaintext = field(2, Buffer.concat([groupId, key])).toString('base64');
      await stage.phones.raw(MALLORY, { to: SHOP, plaintext });
    }

    await stage.assertNeighbourHeard();
    await stage.assertHeld();
  });

  it.each(['retry', 'read', undefined])('20,000 ids in a receipt of type %s', async (type) => {
    const items = Array.from({ length: IDS }, (_, index) => ({ tag: 'item', attrs: { id: `3EB0${index}` } }));
    const attrs = { id: '3EB0FIRST', ...(type === undefined ? {} : { type }) };
    const content = [
      { tag: 'retry', attrs: { count: '1', id: '3EB0FIRST', v: '1' } },
      { tag: 'registration', content: { base64: 'AAABAA==' } },
      { tag: 'list', content: items },
    ];
    await stage.phones.stanza(MALLORY, { to: SHOP, stanza: { tag: 'receipt', attrs, content } });

    await stage.assertNeighbourHeard();
    await stage.assertHeld();
  });
});
