import type { SignalChain, SignalRecord, SignalSession } from './signalRecord.ts';

/**
 * A record of Signal sessions as bytes: numbers and keys one after the other, without names, so that a step of a ratchet costs
 * little to write and to read, and fits one write unit.
 *
 * The head of the bytes is the end of the chain on which the open session sends: the number of its last message and the key of
 * the next one. All else follows. So two records that differ in nothing but how far that chain has come differ in their heads
 * alone, and a head can be moved on without reading the rest ({@link ./sentSteps.ts}).
 */
export const HEAD_BYTES = 36;
const CHAIN_KEY_BYTES = 32;
const SENDING = 1;
/** The mark of the chain whose end is the head. */
const AT_HEAD = 0x80;
const NO_KEY = 0x40;

/** The bytes of a record; `isOpen` says whether they begin with a head. Throws for a record with parts of other kinds. */
export function packRecord(record: SignalRecord): { readonly isOpen: boolean; readonly bytes: Uint8Array } {
  const sessions = Object.values(record._sessions);
  const head = sessions.map(sendingChain).find((chain) => chain !== undefined);
  const writer = new ByteWriter();
  if (head !== undefined) {
    writer.signed(head.chainKey.counter);
    writer.raw(head.chainKey.key);
  }
  writer.byte(sessions.length);
  for (const session of sessions) writeSession(writer, session, head);
  return { isOpen: head !== undefined, bytes: writer.take() };
}

/** The record of {@link packRecord}. */
export function unpackRecord(packed: Uint8Array, isOpen: boolean): SignalRecord {
  const reader = new ByteReader(packed);
  const head = isOpen ? { counter: reader.signed(), key: reader.raw(CHAIN_KEY_BYTES) } : undefined;
  const sessions: Record<string, SignalSession> = {};
  for (let left = reader.byte(); left > 0; left -= 1) {
    const session = readSession(reader, head);
    sessions[session.indexInfo.baseKey] = session;
  }
  return { version: 'v1', _sessions: sessions };
}

type OpenChain = SignalChain & { readonly chainKey: { readonly counter: number; readonly key: string } };

/** The chain on which a session sends, if it is open and has one. */
function sendingChain({ indexInfo, currentRatchet, _chains }: SignalSession): OpenChain | undefined {
  const chain = indexInfo.closed === -1 ? _chains[currentRatchet.ephemeralKeyPair.pubKey] : undefined;
  if (chain?.chainType !== SENDING || chain.chainKey.key === undefined) return undefined;
  return Buffer.byteLength(chain.chainKey.key, 'base64') === CHAIN_KEY_BYTES ? (chain as OpenChain) : undefined;
}

function writeSession(writer: ByteWriter, session: SignalSession, head: SignalChain | undefined): void {
  const { registrationId, currentRatchet, indexInfo, _chains, pendingPreKey } = session;
  writer.number(registrationId);
  writer.key(currentRatchet.ephemeralKeyPair.pubKey);
  writer.key(currentRatchet.ephemeralKeyPair.privKey);
  writer.key(currentRatchet.lastRemoteEphemeralKey);
  writer.signed(currentRatchet.previousCounter);
  writer.key(currentRatchet.rootKey);
  writer.key(indexInfo.baseKey);
  writer.byte(indexInfo.baseKeyType);
  for (const time of [indexInfo.closed, indexInfo.used, indexInfo.created]) writer.number(time);
  writer.key(indexInfo.remoteIdentityKey);
  const chains = Object.entries(_chains);
  writer.byte(chains.length);
  for (const [key, chain] of chains) writeChain(writer, key, chain, chain === head);
  // The shape of what waits for an answer is libsignal's own affair.
  writer.text(pendingPreKey === undefined ? '' : JSON.stringify(pendingPreKey));
}

function readSession(reader: ByteReader, head: SignalChain['chainKey'] | undefined): SignalSession {
  const registrationId = reader.number();
  const ephemeralKeyPair = { pubKey: reader.key(), privKey: reader.key() };
  const currentRatchet = {
    ephemeralKeyPair,
    lastRemoteEphemeralKey: reader.key(),
    previousCounter: reader.signed(),
    rootKey: reader.key(),
  };
  const indexInfo = {
    baseKey: reader.key(),
    baseKeyType: reader.byte(),
    closed: reader.number(),
    used: reader.number(),
    created: reader.number(),
    remoteIdentityKey: reader.key(),
  };
  const chains: Record<string, SignalChain> = {};
  for (let left = reader.byte(); left > 0; left -= 1) chains[reader.key()] = readChain(reader, head);
  const pending = reader.text();
  return {
    registrationId,
    currentRatchet,
    indexInfo,
    _chains: chains,
    ...(pending === '' ? {} : { pendingPreKey: JSON.parse(pending) as NonNullable<SignalSession['pendingPreKey']> }),
  };
}

function writeChain(writer: ByteWriter, key: string, chain: SignalChain, isHead: boolean): void {
  const { chainKey, chainType, messageKeys } = chain;
  writer.key(key);
  writer.byte(chainType | (isHead ? AT_HEAD : 0) | (chainKey.key === undefined ? NO_KEY : 0));
  if (!isHead) {
    writer.signed(chainKey.counter);
    if (chainKey.key !== undefined) writer.key(chainKey.key);
  }
  const skipped = Object.entries(messageKeys);
  writer.short(skipped.length);
  for (const [counter, messageKey] of skipped) {
    writer.signed(Number(counter));
    writer.key(messageKey);
  }
}

function readChain(reader: ByteReader, head: SignalChain['chainKey'] | undefined): SignalChain {
  const kind = reader.byte();
  const isHead = (kind & AT_HEAD) !== 0;
  if (isHead && head === undefined) throw new Error('a chain without its end');
  // The key is absent, not null: libsignal accepts only an undefined key for a closed chain.
  const readEnd = (): SignalChain['chainKey'] => {
    const counter = reader.signed();
    return (kind & NO_KEY) === 0 ? { counter, key: reader.key() } : { counter };
  };
  const chainKey = isHead && head !== undefined ? head : readEnd();
  const messageKeys: Record<string, string> = {};
  for (let left = reader.short(); left > 0; left -= 1) messageKeys[String(reader.signed())] = reader.key();
  return { chainKey, chainType: kind & ~(AT_HEAD | NO_KEY), messageKeys };
}

/** The room that is enough for nearly every record. */
const USUAL_BYTES = 4_096;

/** Writes into memory of its own, which is wiped afterwards: it has held private keys. */
class ByteWriter {
  #bytes = Buffer.alloc(USUAL_BYTES);
  #at = 0;

  byte(value: number): void {
    this.#room(1);
    this.#at = this.#bytes.writeUInt8(value, this.#at);
  }

  short(value: number): void {
    this.#room(2);
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
  }

  /** A counter: −1 stands for "none yet". */
  signed(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  number(value: number): void {
    if (typeof value !== 'number') throw new TypeError('a record of Signal sessions has a part that is no number');
    this.#room(8);
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  /** A key, base64, with its length. */
  key(base64: string): void {
    this.#room(base64.length + 1);
    const length = this.#bytes.write(base64, this.#at + 1, 'base64');
    this.#bytes.writeUInt8(length, this.#at);
    this.#at += length + 1;
  }

  /** A key, base64, whose length is known to the reader. */
  raw(base64: string): void {
    this.#room(base64.length);
    this.#at += this.#bytes.write(base64, this.#at, 'base64');
  }

  text(text: string): void {
    this.#room(text.length * 3 + 2);
    const length = this.#bytes.write(text, this.#at + 2, 'utf8');
    this.#bytes.writeUInt16BE(length, this.#at);
    this.#at += length + 2;
  }

  /** Everything that was written, in memory of its own. */
  take(): Uint8Array {
    const whole = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(whole, 0, 0, this.#at);
    this.#bytes.fill(0, 0, this.#at);
    this.#at = 0;
    return whole;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes.fill(0);
    this.#bytes = larger;
  }
}

class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#move(1));
  }

  short(): number {
    return this.#bytes.readUInt16BE(this.#move(2));
  }

  signed(): number {
    return this.#bytes.readInt32BE(this.#move(4));
  }

  number(): number {
    return this.#bytes.readDoubleBE(this.#move(8));
  }

  key(): string {
    return this.raw(this.byte());
  }

  raw(length: number): string {
    const at = this.#move(length);
    return this.#bytes.toString('base64', at, at + length);
  }

  text(): string {
    const length = this.short();
    const at = this.#move(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** Throws when there are fewer bytes than that: toString would be silent about it. */
  #move(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw new RangeError('insufficient data: a record of Signal sessions is cut');
    return at;
  }
}
