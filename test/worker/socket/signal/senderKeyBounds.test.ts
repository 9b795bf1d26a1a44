import { randomBytes } from 'node:crypto';
import { encodeWAMessage, initAuthCreds, proto, type SignalKeyStore } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { SenderKeys } from '../../../../worker/socket/signal/senderKeys.ts';

const GROUP = '120363000000000001@g.us';
const stanza = { tag: 'message', attrs: { from: GROUP, participant: '222@lid' } };

/** A message with the key of its sender for the group, padded as it is sealed. */
function withKey(chainKeyBytes: number): Uint8Array {
  const key = proto.SenderKeyDistributionMessage.encode({
    id: 1,
    iteration: 1,
    chainKey: randomBytes(chainKeyBytes),
    signingKey: Buffer.concat([Buffer.from([5]), randomBytes(32)]),
  }).finish();
  const axolotlSenderKeyDistributionMessage = Buffer.concat([Buffer.from([0x33]), key]);
  return encodeWAMessage({ senderKeyDistributionMessage: { groupId: GROUP, axolotlSenderKeyDistributionMessage } });
}

/** A store of keys in memory, which refuses as it is told to. */
function aStore(refusal?: Error) {
  const written: string[] = [];
  const store: SignalKeyStore = {
    get: async () => ({}),
    set: async (data) => {
      if (refusal !== undefined) throw refusal;
      written.push(...Object.keys(data));
    },
  };
  const learn = (padded: Uint8Array): Promise<void> =>
    new SenderKeys(initAuthCreds(), store, (_group, _author, work) => work()).learn(stanza, padded);
  return { written, learn };
}

describe('the sender key in a message', () => {
  it('is stored when it is one', async () => {
    const { written, learn } = aStore();

    await learn(withKey(32));

    expect(written).toEqual(['sender-key']);
  });

  it('is left when it is far larger than any: the store could not hold it, and the message would come again for ever', async () => {
    const { written, learn } = aStore();

    await learn(withKey(500_000));

    expect(written).toEqual([]);
  });

  it('is left when the store refuses it for good, and waited for when the store does not answer', async () => {
    const refusing = aStore(Object.assign(new Error('too large'), { name: 'ValidationException' }));
    const silent = aStore(Object.assign(new Error('down'), { name: 'InternalServerError' }));

    await expect(refusing.learn(withKey(32))).resolves.toBeUndefined();
    await expect(silent.learn(withKey(32))).rejects.toThrow('down');
  });
});
