import {
  addTransactionCapability,
  BufferJSON,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeWAMessage,
  generateSignalPubKey,
  getNextPreKeys,
  initAuthCreds,
  proto,
  unpadRandomMax16,
  type AuthenticationCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStoreWithTransaction,
} from '@whiskeysockets/baileys';
import { silentLogger } from './silentLogger.ts';
import type { PublicPreKey, SignedPublicPreKey } from './world.ts';

/** What a phone shows of one message. */
export interface TranscriptEntry {
  readonly id: string;
  readonly chat: string;
  readonly from: string;
  readonly fromMe: boolean;
  readonly text: string;
  readonly at: number;
  status: 'sent' | 'delivered' | 'read' | 'received';
  /** How often it arrived under the same id: phones show it once. */
  copies: number;
}

/** The keys of one device, as others need them to write to it. */
export interface KeyBundle {
  readonly registrationId: number;
  readonly identity: Uint8Array;
  readonly signedPreKey: SignedPublicPreKey;
  readonly preKey: PublicPreKey | undefined;
}

export interface Sealed {
  readonly type: 'pkmsg' | 'msg';
  readonly ciphertext: Uint8Array;
}

type Repository = ReturnType<NonNullable<typeof DEFAULT_CONNECTION_CONFIG.makeSignalRepository>>;
type Values = Record<string, Record<string, unknown>>;

const PRE_KEYS = 200;

/**
 * Device 0 of an account: a Signal peer with keys of its own. It encrypts when it sends, decrypts when it receives, and
 * keeps a transcript of what it could read. One operation at a time, so that no ratchet step of its own is lost.
 */
export class Phone {
  readonly number: string;
  readonly lid: string;
  readonly creds: AuthenticationCreds;
  readonly transcript: TranscriptEntry[];
  /** Stanza ids that could not be decrypted, with the reason, as often as it happened. */
  readonly failures: { readonly id: string; readonly reason: string }[] = [];
  /** What it sent under each id, for those who ask again. */
  readonly sent = new Map<string, { readonly to: string; readonly message: Uint8Array }>();
  readonly #values: Values;
  readonly #repository: Repository;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(number: string, lid: string, saved?: SavedPhone) {
    this.number = number;
    this.lid = lid;
    this.creds = saved?.creds ?? initAuthCreds();
    this.#values = saved?.values ?? {};
    this.transcript = saved?.transcript ?? [];
    for (const [id, entry] of saved?.sent ?? []) this.sent.set(id, entry);
    const keys = addTransactionCapability(this.#store(), silentLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: this.creds, keys }, silentLogger);
    this.#keys = keys;
  }

  readonly #keys: SignalKeyStoreWithTransaction;

  /** Makes the one-time pre-keys that others use for a first message. */
  async makePreKeys(): Promise<void> {
    const { update } = await getNextPreKeys({ creds: this.creds, keys: this.#keys }, PRE_KEYS);
    Object.assign(this.creds, update);
  }

  /** Takes one of its pre-keys out for somebody, with the rest of the bundle. */
  takeBundle(): KeyBundle {
    const preKeys = (this.#values['pre-key'] ??= {});
    const offered = (this.#values['offered'] ??= {});
    const id = Object.keys(preKeys).find((candidate) => offered[candidate] === undefined);
    if (id !== undefined) offered[id] = true;
    const pair = id === undefined ? undefined : (preKeys[id] as { public: Uint8Array });
    const { signedPreKey, signedIdentityKey, registrationId } = this.creds;
    return {
      registrationId,
      identity: signedIdentityKey.public,
      signedPreKey: { id: signedPreKey.keyId, value: signedPreKey.keyPair.public, signature: signedPreKey.signature },
      preKey: pair === undefined ? undefined : { id: Number(id), value: pair.public },
    };
  }

  /** Encrypts for a device. @param bundle fetched when there is no session yet; a new one replaces it */
  seal(
    deviceJid: string,
    message: Uint8Array,
    fetchBundle: () => KeyBundle | undefined,
    renew = false,
  ): Promise<Sealed | undefined> {
    return this.#inTurn(async () => {
      const { exists } = await this.#repository.validateSession(deviceJid);
      if (!exists || renew) {
        const bundle = fetchBundle();
        if (bundle === undefined) return undefined;
        await this.#repository.injectE2ESession({ jid: deviceJid, session: toSession(bundle) });
      }
      return this.#repository.encryptMessage({ jid: deviceJid, data: message });
    });
  }

  /** Replaces the session with a device by one from the keys that it sent along with its request to repeat. */
  renewSession(deviceJid: string, bundle: KeyBundle): Promise<void> {
    return this.#inTurn(() => this.#repository.injectE2ESession({ jid: deviceJid, session: toSession(bundle) }));
  }

  /** Decrypts from a device. Throws what the cipher throws. */
  open(deviceJid: string, sealed: Sealed): Promise<proto.Message> {
    return this.#inTurn(async () => {
      const padded = await this.#repository.decryptMessage({
        jid: deviceJid,
        type: sealed.type,
        ciphertext: Buffer.from(sealed.ciphertext),
      });
      return proto.Message.decode(unpadRandomMax16(padded));
    });
  }

  /** Decrypts a group message, after taking over the sender key that may have come with it. */
  openGroup(group: string, authorJid: string, ciphertext: Uint8Array): Promise<proto.Message> {
    return this.#inTurn(async () => {
      const padded = await this.#repository.decryptGroupMessage({ group, authorJid, msg: Buffer.from(ciphertext) });
      return proto.Message.decode(unpadRandomMax16(padded));
    });
  }

  learnSenderKey(authorJid: string, item: proto.Message.ISenderKeyDistributionMessage): Promise<void> {
    return this.#inTurn(() => this.#repository.processSenderKeyDistributionMessage({ item, authorJid }));
  }

  /** Encrypts for a group: the message, and the sender key for those who do not have it yet. */
  sealGroup(
    group: string,
    message: Uint8Array,
  ): Promise<{ readonly ciphertext: Uint8Array; readonly senderKey: Uint8Array }> {
    return this.#inTurn(async () => {
      const sealed = await this.#repository.encryptGroupMessage({ group, meId: `${this.lid}@lid`, data: message });
      return { ciphertext: sealed.ciphertext, senderKey: sealed.senderKeyDistributionMessage };
    });
  }

  sign(message: Uint8Array): Uint8Array {
    return Curve.sign(this.creds.signedIdentityKey.private, message);
  }

  /** Writes into the transcript; a repeated id is counted, not shown again. Returns whether it is new. */
  show(entry: Omit<TranscriptEntry, 'copies'>): boolean {
    const known = this.transcript.find(
      (other) => other.id === entry.id && other.from === entry.from && other.chat === entry.chat,
    );
    if (known !== undefined) {
      known.copies += 1;
      return false;
    }
    this.transcript.push({ ...entry, copies: 1 });
    return true;
  }

  save(): SavedPhone {
    return { creds: this.creds, values: this.#values, transcript: this.transcript, sent: [...this.sent].slice(-500) };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #store() {
    const values = this.#values;
    return {
      get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found: { [id: string]: SignalDataTypeMap[T] } = {};
        for (const id of ids) {
          const value = values[type]?.[id];
          // A copy: what libsignal does to it must not count before it is stored.
          if (value !== undefined) {
            found[id] = JSON.parse(
              JSON.stringify(value, BufferJSON.replacer),
              BufferJSON.reviver,
            ) as SignalDataTypeMap[T];
          }
        }
        return found;
      },
      set: async (data: SignalDataSet) => {
        for (const [type, entries] of Object.entries(data)) {
          const stored = (values[type] ??= {});
          for (const [id, value] of Object.entries(entries ?? {})) {
            if (value === null) delete stored[id];
            else stored[id] = value;
          }
        }
      },
    };
  }
}

export interface SavedPhone {
  readonly creds: AuthenticationCreds;
  readonly values: Values;
  readonly transcript: TranscriptEntry[];
  readonly sent: readonly (readonly [string, { readonly to: string; readonly message: Uint8Array }])[];
}

/** The bytes of a text message, padded as WhatsApp pads. */
export function textMessage(text: string): Uint8Array {
  return encodeWAMessage({ conversation: text });
}

/** Text of a message, or undefined if it has none. */
export function textOf(message: proto.IMessage | null | undefined): string | undefined {
  return message?.conversation ?? message?.extendedTextMessage?.text ?? undefined;
}

function toSession(bundle: KeyBundle) {
  return {
    registrationId: bundle.registrationId,
    identityKey: generateSignalPubKey(bundle.identity),
    signedPreKey: {
      keyId: bundle.signedPreKey.id,
      publicKey: generateSignalPubKey(bundle.signedPreKey.value),
      signature: bundle.signedPreKey.signature,
    },
    ...(bundle.preKey === undefined
      ? {}
      : { preKey: { keyId: bundle.preKey.id, publicKey: generateSignalPubKey(bundle.preKey.value) } }),
  };
}
