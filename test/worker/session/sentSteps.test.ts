import { createRequire } from 'node:module';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { KeyProvider } from '../../../shared/platform/keyProvider.ts';
import { silentMetrics } from '../../../shared/platform/metrics.ts';
import { aheadOf, lastStepOf } from '../../../worker/session/sentSteps.ts';
import { encodeKey } from '../../../worker/session/keyCodec.ts';
import { openSession, type Session } from '../../../worker/session/session.ts';
import { repairLibsignal } from '../../../worker/socket/repairs/libsignalRepairs.ts';
import { FakeDynamoDb } from '../../simulation/aws/fakeDynamoDb.ts';
import { openGate } from '../fleet/gates.ts';
import { aParty, libsignal } from '../signalParties.ts';

interface Whisper {
  readonly ephemeralKey: Uint8Array;
  readonly counter: number;
}
const { WhisperMessage, PreKeyWhisperMessage } = createRequire(import.meta.url)('libsignal/src/protobufs') as {
  readonly WhisperMessage: { readonly decode: (bytes: Uint8Array) => Whisper };
  readonly PreKeyWhisperMessage: { readonly decode: (bytes: Uint8Array) => { readonly message: Uint8Array } };
};

interface Sealed {
  readonly type: number;
  readonly body: Buffer;
}

const ADDRESS = 'bob.0';
const KEY = Buffer.alloc(32, 7);
const plainKeys: KeyProvider = {
  generateDataKey: async () => ({ plaintext: KEY, wrapped: KEY }),
  unwrapDataKey: async () => KEY,
};

/** Ann, whose session is the product's, and Bob, who keeps his in memory. */
class Conversation {
  readonly #database = new FakeDynamoDb();
  readonly #bob = aParty();
  readonly #ann = aParty();
  readonly #connection = {
    tenantId: makeId('tnt', Date.now(), systemRandom),
    connectionId: makeId('con', Date.now(), systemRandom),
    shard: 0,
  };
  #token = 1;
  /** The number of writes of the Signal session. */
  writes = 0;
  /** What happens to the next write: it is not taken, or it is and nobody learns of it. */
  failing: 'not_taken' | 'taken' | undefined;

  static async begin(): Promise<{ readonly talk: Conversation; readonly session: Session }> {
    const talk = new Conversation();
    const session = await talk.owner();
    await session.storeNewCredentials({ me: { id: '1@s.whatsapp.net' } });
    const builder = new libsignal.SessionBuilder(
      talk.#annKeeping(session, 'through'),
      new libsignal.ProtocolAddress('bob', 0),
    );
    await builder.initOutgoing(talk.#bob.bundle(1));
    return { talk, session };
  }

  /** The next owner, which remembers nothing. */
  owner(): Promise<Session> {
    const table = { send: (command: unknown) => this.#send(command) } as unknown as DynamoDBDocumentClient;
    const options = { table, stage: 'test', gate: openGate, clock: systemClock, random: systemRandom };
    this.#token += 1;
    return openSession(
      { ...this.#connection, token: this.#token },
      { ...options, metrics: silentMetrics, storeTimeoutMs: 5_000, keyProvider: plainKeys },
    );
  }

  async send(session: Session, text: string): Promise<Sealed> {
    const cipher = new libsignal.SessionCipher(
      this.#annKeeping(session, 'through'),
      new libsignal.ProtocolAddress('bob', 0),
    );
    const { type, body } = await cipher.encrypt(Buffer.from(text));
    return { type, body: Buffer.from(body as string, 'binary') };
  }

  /** Bob reads, and answers; Ann reads that. */
  async answer(session: Session): Promise<void> {
    const { body } = await this.#bobCipher().encrypt(Buffer.from('answer'));
    const cipher = new libsignal.SessionCipher(
      this.#annKeeping(session, 'behind'),
      new libsignal.ProtocolAddress('bob', 0),
    );
    await cipher.decryptWhisperMessage(Buffer.from(body as string, 'binary'));
  }

  async read({ type, body }: Sealed): Promise<string> {
    const cipher = this.#bobCipher();
    const plain = await (type === 3 ? cipher.decryptPreKeyWhisperMessage(body) : cipher.decryptWhisperMessage(body));
    return plain.toString();
  }

  #bobCipher() {
    return new libsignal.SessionCipher(this.#bob.storage, new libsignal.ProtocolAddress('ann', 0));
  }

  #annKeeping(session: Session, how: 'through' | 'behind') {
    return {
      ...this.#ann.storage,
      loadSession: async () => {
        const { [ADDRESS]: record } = await session.getKeys('session', [ADDRESS]);
        return record === undefined ? undefined : libsignal.SessionRecord.deserialize(record);
      },
      storeSession: async (_id: string, record: { readonly serialize: () => unknown }) => {
        const values = { session: { [ADDRESS]: record.serialize() } };
        await (how === 'through' ? session.setKeys(values) : session.setKeysBehind(values));
      },
    };
  }

  async #send(command: unknown): Promise<unknown> {
    if (!(command instanceof PutCommand) || !String(command.input.Item?.['sk']).includes('SIGNAL')) {
      return this.#database.apply(command);
    }
    const { failing } = this;
    this.failing = undefined;
    if (failing === 'not_taken') throw refused();
    const answer = await this.#database.apply(command);
    this.writes += 1;
    if (failing === 'taken') throw refused();
    return answer;
  }
}

/** A refusal that is not tried again. */
function refused(): Error {
  return Object.assign(new Error('refused'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
}

/** The key under which a message was sealed: the chain, and its number there. */
function keyOf({ type, body }: Sealed): string {
  const inner = type === 3 ? PreKeyWhisperMessage.decode(body.subarray(1)).message : body;
  const { ephemeralKey, counter } = WhisperMessage.decode(inner.subarray(1, -8));
  return `${Buffer.from(ephemeralKey).toString('hex')}/${counter}`;
}

describe('steps of sending that are stored ahead', () => {
  beforeAll(() => repairLibsignal());

  it('are the ones that libsignal makes itself', async () => {
    const kept: Uint8Array[] = [];
    const { talk, session } = await Conversation.begin();
    await talk.read(await talk.send(session, 'first'));
    for (let index = 0; index < 16; index += 1) {
      await talk.send(session, 'text');
      kept.push(encodeKey('session', (await session.getKeys('session', [ADDRESS]))[ADDRESS]));
    }

    const [first] = kept;
    if (first === undefined) throw new Error('nothing was kept');
    expect([2, 3].map((writes) => Buffer.from(aheadOf(first, writes)))).toEqual([kept[3], kept[15]]);
    expect(lastStepOf(first)).toBe(1);
  });

  it('make one write of sixteen', async () => {
    const { talk, session } = await Conversation.begin();
    await talk.read(await talk.send(session, 'first'));
    talk.writes = 0;

    for (let index = 0; index < 5 + 16 * 4; index += 1) await talk.read(await talk.send(session, `text ${index}`));

    expect(talk.writes).toBe(2 + 4);
  });

  it('belong to a session that is known to be open without being read, as long as libsignal finds it open', async () => {
    const { talk, session } = await Conversation.begin();
    const found: (readonly [known: boolean, open: boolean])[] = [];
    const look = async (owner: Session): Promise<void> => {
      const { [ADDRESS]: record } = await owner.getKeys('session', [ADDRESS]);
      found.push([await owner.hasOpenSession(ADDRESS), libsignal.SessionRecord.deserialize(record).haveOpenSession()]);
    };
    await look(session);
    await talk.read(await talk.send(session, 'first'));
    await look(session);
    await talk.answer(session);
    await look(session);
    await session.flush();
    const next = await talk.owner();
    await look(next);
    const { [ADDRESS]: stored } = await next.getKeys('session', [ADDRESS]);
    const record = libsignal.SessionRecord.deserialize(stored);
    record.closeSession(record.getOpenSession());
    await next.setKeys({ session: { [ADDRESS]: record.serialize() } });
    await look(next);

    expect(found).toEqual([...Array.from({ length: 4 }, () => [true, true]), [false, false]]);
    expect(await next.hasOpenSession('nobody.0')).toBe(false);
  });

  it('leave no gap where an owner sends once', async () => {
    const { talk, session } = await Conversation.begin();
    await talk.read(await talk.send(session, 'first'));
    const keys: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      const sealed = await talk.send(await talk.owner(), 'once');
      keys.push(keyOf(sealed).split('/')[1] ?? '');
      await talk.read(sealed);
    }

    expect(keys).toEqual(['1', '2', '3', '4']);
  });

  it('use no key twice and lose no message, whoever dies, comes back late, or gets no answer from the store', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constant('send' as const) },
        fc.constantFrom('answer', 'kill', 'flush', 'late', 'not_taken', 'taken'),
      ),
      { minLength: 1, maxLength: 60 },
    );

    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const { talk, session: begun } = await Conversation.begin();
        let session = begun;
        const former: Session[] = [];
        const used: string[] = [];
        const send = async (from: Session): Promise<Sealed | undefined> => {
          const sealed = await talk.send(from, `message ${used.length}`).catch(() => undefined);
          if (sealed !== undefined) used.push(keyOf(sealed));
          return sealed;
        };
        const lost: string[] = [];
        const first = await talk.send(session, 'first');
        used.push(keyOf(first));
        await talk.read(first);
        for (const step of script) {
          if (step === 'answer') await talk.answer(session);
          if (step === 'flush') await session.flush().catch(() => undefined);
          if (step === 'not_taken' || step === 'taken') talk.failing = step;
          // An owner that does not know yet that another one has come.
          if (step === 'late') for (const late of former) await send(late);
          if (step === 'kill') {
            former.push(session);
            session = await talk.owner();
          }
          if (step !== 'send') continue;
          const text = `message ${used.length}`;
          const sealed = await send(session);
          if (sealed !== undefined && (await talk.read(sealed)) !== text) lost.push(text);
        }

        expect(lost).toEqual([]);
        expect(new Set(used).size).toBe(used.length);
      }),
      { numRuns: 60 },
    );
  });
});
