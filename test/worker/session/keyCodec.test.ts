import { randomBytes } from 'node:crypto';
import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  addTransactionCapability,
  initAuthCreds,
  type SignalKeyStore,
} from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeEntries, decodeKey, encodeEntries, encodeKey } from '../../../worker/session/keyCodec.ts';
import { repairLibsignal } from '../../../worker/socket/repairs/libsignalRepairs.ts';
import { silentLogger } from '../../whatsapp/silentLogger.ts';
import { runs } from '../../sample.ts';
import { aParty, libsignal, type Party } from '../signalParties.ts';

/** What DynamoDB bills as one write. */
const WRITE_UNIT_BYTES = 1_024;
/** What an item has besides its body: keys, version, epoch, write id, the seal. */
const AROUND_BYTES = 190;

const asStored = {
  encode: (record: unknown) => encodeKey('session', record),
  decode: decodeKey,
};

/** Two who talk; what they keep goes through the codec. */
async function aConversation() {
  const [ann, bob] = [aParty(asStored), aParty(asStored)];
  const address = new libsignal.ProtocolAddress('other', 0);
  const cipher = (party: Party) => new libsignal.SessionCipher(party.storage, address);
  await new libsignal.SessionBuilder(ann.storage, address).initOutgoing(bob.bundle(1));
  const write = async (from: Party, text: string) => {
    const { type, body } = await cipher(from).encrypt(Buffer.from(text));
    return { type, body: Buffer.from(body as string, 'binary') };
  };
  const read = async (to: Party, { type, body }: Awaited<ReturnType<typeof write>>) => {
    const plain = await (type === 3
      ? cipher(to).decryptPreKeyWhisperMessage(body)
      : cipher(to).decryptWhisperMessage(body));
    return plain.toString();
  };
  const bytes = (party: Party) => party.sessions.get('other.0')?.length ?? 0;
  return { ann, bob, write, read, bytes };
}

describe('stored Signal sessions', () => {
  beforeAll(() => repairLibsignal());

  it('stay within a write unit over many changes of direction, and everything is read', async () => {
    const { ann, bob, write, read, bytes } = await aConversation();
    const sizes: number[] = [];
    for (let turn = 0; turn < runs(100, 500); turn += 1) {
      expect(await read(bob, await write(ann, `a${turn}`))).toBe(`a${turn}`);
      expect(await read(ann, await write(bob, `b${turn}`))).toBe(`b${turn}`);
      sizes.push(bytes(ann), bytes(bob));
    }

    expect(Math.max(...sizes)).toBeLessThan(WRITE_UNIT_BYTES - AROUND_BYTES - 32 * 8);
  });

  it('read a message that is late by many changes of direction, once', async () => {
    const { ann, bob, write, read } = await aConversation();
    await read(bob, await write(ann, 'first'));
    const late = await write(ann, 'late');
    await read(bob, await write(ann, 'overtakes'));
    for (let turn = 0; turn < 30; turn += 1) {
      await read(ann, await write(bob, 'there'));
      await read(bob, await write(ann, 'and back'));
    }

    expect(await read(bob, late)).toBe('late');
    await expect(read(bob, late)).rejects.toThrow(/Bad MAC|No matching sessions|Key used already/);
    expect(await read(bob, await write(ann, 'goes on'))).toBe('goes on');
  });

  it('keep no more than 200 skipped messages, the newest', async () => {
    const { ann, bob, write, read, bytes } = await aConversation();
    await read(bob, await write(ann, 'first'));
    const skipped = [];
    for (let index = 0; index < 300; index += 1) skipped.push(await write(ann, `skipped ${index}`));

    await read(bob, await write(ann, 'last'));

    expect(bytes(bob)).toBeLessThan(200 * 40 + 1_000);
    const newest = skipped.at(-1);
    expect(newest && (await read(bob, newest))).toBe('skipped 299');
  });

  it('come back as they were', async () => {
    const { ann, bob, write, read } = await aConversation();
    await read(bob, await write(ann, 'first'));
    const gap = await write(ann, 'skipped');
    await read(bob, await write(ann, 'second'));
    await read(ann, await write(bob, 'answer'));
    for (const party of [ann, bob]) {
      const stored = party.sessions.get('other.0') ?? Buffer.alloc(0);

      expect(encodeKey('session', decodeKey(stored))).toEqual(stored);
    }
    expect(gap.body.length).toBeGreaterThan(0);
  });
});

describe('stored sender keys', () => {
  beforeAll(() => repairLibsignal());

  /** A member of a group, with Baileys' own repository over a store that goes through the codec. */
  function aMember() {
    const stored = new Map<string, Uint8Array>();
    const keys: SignalKeyStore = {
      get: async (type, ids) =>
        Object.fromEntries(
          ids.flatMap((id) => {
            const bytes = stored.get(`${type}:${id}`);
            return bytes === undefined ? [] : [[id, decodeKey(bytes)]];
          }),
        ) as never,
      set: async (data) => {
        for (const [type, values] of Object.entries(data)) {
          for (const [id, value] of Object.entries(values)) stored.set(`${type}:${id}`, encodeKey(type, value));
        }
      },
    };
    const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      {
        creds: initAuthCreds(),
        keys: addTransactionCapability(keys, silentLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 }),
      },
      silentLogger,
    );
    return { stored, repository };
  }
  const group = '120363000000000000@g.us';
  const meId = '491510000001:1@s.whatsapp.net';

  it('of our own stay small over many messages, and members read all of them', async () => {
    const [ann, bob] = [aMember(), aMember()];
    const seen: string[] = [];
    const name = `sender-key:${group}::491510000001::1`;
    const hundreds = Array.from({ length: runs(2, 3) }, (_, at) => at * 100);
    for (let index = 0; index < hundreds.length * 100; index += 1) {
      const { ciphertext, senderKeyDistributionMessage } = await ann.repository.encryptGroupMessage({
        group,
        meId,
        data: Buffer.from(`message ${index}`),
      });
      if (index === 0) {
        await bob.repository.processSenderKeyDistributionMessage({
          item: { groupId: group, axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage },
          authorJid: meId,
        });
      }
      // Some of them: what is between is skipped.
      if (index % 100 < 4) {
        const plain = await bob.repository.decryptGroupMessage({ group, authorJid: meId, msg: ciphertext });
        seen.push(Buffer.from(plain).toString());
      }
    }

    expect(seen).toEqual(hundreds.flatMap((from) => [0, 1, 2, 3].map((at) => `message ${from + at}`)));
    expect(ann.stored.get(name)?.length).toBeLessThan(200);
    expect(bob.stored.get(name)?.length).toBeLessThan(32 * 40 + 200);
  });
});

describe('stored pre-keys', () => {
  it('fit 25 to a write unit, without their public halves', () => {
    const pairs = Array.from({ length: 25 }, (_, at) => [`pre-key:${25 + at}`, Curve.generateKeyPair()] as const);

    const item = encodeEntries(new Map(pairs.map(([name, pair]) => [name, encodeKey('pre-key', pair)])));

    expect(item.length).toBeLessThan(WRITE_UNIT_BYTES - AROUND_BYTES);
    const decoded = decodeEntries(item);
    for (const [name, pair] of pairs) expect(decodeKey(decoded.get(name) ?? item)).toEqual(pair);
  });

  it('come back whatever their numbers are', () => {
    const pair = { private: randomBytes(32), public: randomBytes(32) };
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(16_777_215), { maxLength: 30 }), fc.boolean(), (ids, isGenuine) => {
        const value = isGenuine ? Curve.generateKeyPair() : pair;
        const entries = new Map(ids.map((id) => [`pre-key:${id}`, encodeKey('pre-key', value)]));

        const decoded = decodeEntries(encodeEntries(entries));

        expect([...decoded].map(([name, bytes]) => [name, decodeKey(bytes)])).toEqual(
          ids.map((id) => [`pre-key:${id}`, value]),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('stored values', () => {
  it.each<readonly [what: string, bytes: readonly number[]]>([
    ['a key in a form of a later version', [0x99, 1, 2]],
    ['a key that is cut', [0x20, 0x10]],
    ['nothing', []],
  ])('%s is an error and never an absence', (_what, bytes) => {
    expect(() => decodeKey(Uint8Array.from(bytes))).toThrow(/form|Insufficient|RangeError|data/i);
  });

  it('an item in a form of a later version is an error and never empty', () => {
    expect(() => decodeEntries(Uint8Array.from([0x99]))).toThrow('unknown form 153 of a stored item');
  });
});
