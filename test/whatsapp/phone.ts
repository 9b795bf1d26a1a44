import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  generateSignalPubKey,
  initAuthCreds,
  type proto,
  unpadRandomMax16,
  type AuthenticationCreds,
} from '@whiskeysockets/baileys';
import { nothingKept, type Changes } from './changes.ts';
import { decodePlaintext, type ContentKind } from './content.ts';
import { trySessionsOnCopies } from './copySessions.ts';
import type { ShownFile } from './media/shownFile.ts';
import { PhoneKeys, type Values } from './phoneKeys.ts';
import { silentLogger } from './silentLogger.ts';
import type { PublicPreKey, SignedPublicPreKey } from './preKey.ts';

/** How far a message got: with each recipient, and in the transcript with the slowest of them. */
export type Progress = 'sent' | 'delivered' | 'read' | 'played';

/** What a phone shows of one message. */
export interface TranscriptEntry {
  readonly id: string;
  /** Number of the other one, or id of the group. */
  readonly chat: string;
  /** Number of the account that wrote it. */
  readonly from: string;
  readonly fromMe: boolean;
  readonly kind: ContentKind;
  readonly text: string;
  media?: ShownFile;
  /** The message as it came, in base64, where it is neither text nor media; another device of its account wraps it. */
  readonly plaintext?: string;
  /** Nodes beside what was sealed, such as the `meta` of a poll, with their attributes. */
  readonly beside?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The type that the stanza said, and of which kind it said that a file is. */
  readonly stanzaType?: string;
  readonly mediaType?: string;
  /** What the stanza says that it does with another message. */
  readonly edit?: string;
  readonly at: number;
  /** `received` until its owner reads it; for own messages what their recipients told. */
  status: Progress | 'received';
  /** Own messages: how far each recipient's account got. */
  readonly receipts: Record<string, Progress>;
  /** How the sender was addressed, `lid` or `s.whatsapp.net`: the receipt goes back the same way. */
  readonly addressedBy: string;
  /** How often it arrived under the same id: phones show it once. */
  copies: number;
}

/** What a phone keeps of a message for those who ask for it again. */
export interface SentMessage {
  /** Number of the other one, or id of the group. */
  readonly to: string;
  /** Encoded and padded. */
  readonly message: Uint8Array;
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

/** One-time pre-keys that a phone makes at once, and how few may be left when it makes more: those are saved in time. */
const PRE_KEYS = 40;
const FEW_PRE_KEYS = 20;
/** Messages that a phone can repeat; older ones are forgotten. */
const KEPT_MESSAGES = 500;
const RANKS = { sent: 0, delivered: 1, read: 2, played: 3 } as const;

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
  readonly #sent = new Map<string, SentMessage>();
  readonly #shown = new Map<string, TranscriptEntry>();
  readonly #changes: Changes;
  readonly #keys: PhoneKeys;
  readonly #repository: Repository;
  /** Ids of the one-time pre-keys that nobody was given yet, oldest first. */
  readonly #spare: string[];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(number: string, lid: string, saved?: SavedPhone, changes: Changes = nothingKept) {
    this.number = number;
    this.lid = lid;
    this.creds = saved?.creds ?? initAuthCreds();
    this.#changes = changes;
    this.#keys = new PhoneKeys(number, changes, saved?.values);
    const { 'pre-key': preKeys = {}, offered = {} } = this.#keys.values;
    this.#spare = Object.keys(preKeys).filter((id) => offered[id] === undefined);
    this.transcript = saved?.transcript ?? [];
    for (const entry of this.transcript) this.#shown.set(keyOf(entry), entry);
    for (const [id, entry] of saved?.sent ?? []) this.#sent.set(id, entry);
    trySessionsOnCopies(this.creds.signedIdentityKey.public);
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      { creds: this.creds, keys: this.#keys },
      silentLogger,
    );
  }

  /** Makes one-time pre-keys, which others use for a first message. */
  makePreKeys(): void {
    for (let made = 0; made < PRE_KEYS; made += 1) {
      const id = String(this.creds.nextPreKeyId++);
      this.#keys.put('pre-key', id, Curve.generateKeyPair());
      this.#spare.push(id);
    }
    this.#noteCreds();
  }

  /** The owner sets WhatsApp up again: new keys, and nothing is known of any session. What it shows stays. */
  reinstall(): Promise<void> {
    return this.#inTurn(async () => {
      this.#keys.clear();
      this.#spare.length = 0;
      const { signedIdentityKey, signedPreKey, registrationId, nextPreKeyId } = initAuthCreds();
      Object.assign(this.creds, { signedIdentityKey, signedPreKey, registrationId, nextPreKeyId });
      trySessionsOnCopies(signedIdentityKey.public);
      this.makePreKeys();
    });
  }

  /** Takes one of its pre-keys out for somebody, with the rest of the bundle. */
  takeBundle(): KeyBundle {
    const id = this.#spare.shift();
    if (id !== undefined) {
      this.#keys.put('offered', id, true);
      if (this.#spare.length < FEW_PRE_KEYS) this.makePreKeys();
    }
    const pair = id === undefined ? undefined : (this.#keys.values['pre-key']?.[id] as { public: Uint8Array });
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
      return decodePlaintext(unpadRandomMax16(padded));
    });
  }

  /** Takes over a sender key that came with a message. */
  learnSenderKey(authorJid: string, item: proto.Message.ISenderKeyDistributionMessage): Promise<void> {
    return this.#inTurn(() => this.#repository.processSenderKeyDistributionMessage({ item, authorJid }));
  }

  /** Decrypts a group message. Throws what the cipher throws. */
  openGroup(group: string, authorJid: string, ciphertext: Uint8Array): Promise<proto.Message> {
    return this.#inTurn(async () => {
      const padded = await this.#repository.decryptGroupMessage({ group, authorJid, msg: Buffer.from(ciphertext) });
      return decodePlaintext(unpadRandomMax16(padded));
    });
  }

  /** Encrypts for a group: the message, the sender key, and which of the devices do not have that key yet. */
  sealGroup(
    group: string,
    message: Uint8Array,
    deviceJids: readonly string[],
  ): Promise<{ readonly ciphertext: Uint8Array; readonly senderKey: Uint8Array; readonly lacking: readonly string[] }> {
    return this.#inTurn(async () => {
      const sealed = await this.#repository.encryptGroupMessage({ group, meId: `${this.lid}@lid`, data: message });
      const known = (this.#keys.values['key-holders']?.[group] ?? []) as readonly string[];
      const lacking = deviceJids.filter((jid) => !known.includes(jid));
      if (lacking.length > 0) this.#keys.put('key-holders', group, [...known, ...lacking]);
      return { ciphertext: sealed.ciphertext, senderKey: sealed.senderKeyDistributionMessage, lacking };
    });
  }

  /** The sender key for somebody who lost it. */
  senderKey(group: string): Promise<Uint8Array> {
    return this.#inTurn(() => this.#repository.getSenderKeyDistributionMessage({ group, meId: `${this.lid}@lid` }));
  }

  /** The next message to the group starts a new sender key. */
  forgetSenderKey(group: string): void {
    this.#keys.put('key-holders', group, null);
    for (const id of Object.keys(this.#keys.values['sender-key'] ?? {})) {
      if (id.startsWith(`${group}::${this.lid}`)) this.#keys.put('sender-key', id, null);
    }
  }

  sign(message: Uint8Array): Uint8Array {
    return Curve.sign(this.creds.signedIdentityKey.private, message);
  }

  /** Writes into the transcript; a repeated id is counted, not shown again. Returns whether it is new. */
  show(entry: Omit<TranscriptEntry, 'copies'>): boolean {
    const known = this.#shown.get(keyOf(entry));
    if (known !== undefined) {
      known.copies += 1;
      this.#noteShown(known);
      return false;
    }
    const shown = { ...entry, copies: 1 };
    this.#shown.set(keyOf(entry), shown);
    this.transcript.push(shown);
    this.#noteShown(shown);
    return true;
  }

  /** Whether it shows a message of that account and id. */
  shows(from: string, id: string): TranscriptEntry | undefined {
    return this.#shown.get(keyOf({ from, id }));
  }

  /** A message of somebody else; undefined if it shows none under that id. */
  received(id: string): TranscriptEntry | undefined {
    return this.transcript.findLast((entry) => entry.id === id && !entry.fromMe);
  }

  /** Says that the owner has read a message of somebody else. */
  markRead(entry: TranscriptEntry): void {
    entry.status = 'read';
    this.#noteShown(entry);
  }

  /** Says what became of the file of a message. */
  noteFile(from: string, id: string, change: Partial<ShownFile>): void {
    const entry = this.#shown.get(keyOf({ from, id }));
    if (entry?.media === undefined) return;
    entry.media = { ...entry.media, ...change };
    this.#noteShown(entry);
  }

  /** A recipient told how far an own message got. Progress only goes forward. */
  noteProgress(id: string, recipient: string, progress: Progress): void {
    const entry = this.shows(this.number, id);
    if (entry === undefined) return;
    if (RANKS[progress] > RANKS[entry.receipts[recipient] ?? 'sent']) entry.receipts[recipient] = progress;
    const slowest = Object.values(entry.receipts).sort((a, b) => RANKS[a] - RANKS[b])[0];
    if (slowest !== undefined) entry.status = slowest;
    this.#noteShown(entry);
  }

  /** Keeps a message for those who ask for it again. */
  keep(id: string, message: SentMessage): void {
    this.#sent.set(id, message);
    this.#noteSent(id);
    const oldest = this.#sent.size > KEPT_MESSAGES ? this.#sent.keys().next().value : undefined;
    if (oldest === undefined) return;
    this.#sent.delete(oldest);
    this.#noteSent(oldest);
  }

  kept(id: string): SentMessage | undefined {
    return this.#sent.get(id);
  }

  save(): SavedPhone {
    return { creds: this.creds, values: this.#keys.values, transcript: this.transcript, sent: [...this.#sent] };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #noteCreds(): void {
    this.#changes.note(`creds/${this.number}`, () => this.creds);
  }

  #noteShown(entry: TranscriptEntry): void {
    this.#changes.note(`shown/${this.number}/${keyOf(entry)}`, () => entry);
  }

  #noteSent(id: string): void {
    this.#changes.note(`sent/${this.number}/${id}`, () => this.#sent.get(id));
  }
}

export interface SavedPhone {
  readonly creds: AuthenticationCreds;
  readonly values: Values;
  readonly transcript: TranscriptEntry[];
  readonly sent: readonly (readonly [string, SentMessage])[];
}

/** A message is known by its writer and its id. */
function keyOf({ from, id }: { readonly from: string; readonly id: string }): string {
  return `${from}/${id}`;
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
