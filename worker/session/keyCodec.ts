import { decode, encode } from '@msgpack/msgpack';
import { decodeValue, encodeValue, withForm } from './codec.ts';
import { packSenderKey, unpackSenderKey } from './senderKeyRecord.ts';
import { publicHalfOf, type KeyPair } from './keyPairs.ts';
import { OPEN_RECORD } from './sentSteps.ts';
import { packRecord, unpackRecord } from './signalBytes.ts';
import { isSignalRecord, pruneRecord, type SignalRecord } from './signalRecord.ts';

/**
 * Keys and the items that hold them, as bytes. Each key begins with its form, so that a key of an unexpected shape is
 * stored as it is, and a later form can stand beside it.
 */
const SIGNAL_RECORD = 0x20;
const SENDER_KEY = 0x30;
const PRE_KEY = 0x40;
const MARKS = 0x50;

/** The forms of a whole item. */
const ENTRIES = 0x01;
const PRE_KEYS = 0x02;

const PRIVATE_KEY_BYTES = 32;
const MARK_BYTES = 8;

/** The bytes of a key, in the smallest form that its type has. */
export function encodeKey(type: string, value: unknown): Uint8Array {
  if (type === 'session' && isSignalRecord(value)) return encodeRecord(value);
  if (type === 'sender-key' && value instanceof Uint8Array) {
    const packed = packSenderKey(value);
    if (packed !== undefined) return withForm(SENDER_KEY, encodeValue(packed));
  }
  if (type === 'pre-key' && isKeyPair(value)) return encodePreKey(value);
  if (type === 'handled' && isMarks(value)) return withForm(MARKS, Buffer.from(value.join(''), 'hex'));
  return encodeValue(value);
}

/** The key of {@link encodeKey}. Throws for a form that is not known. */
export function decodeKey(bytes: Uint8Array): unknown {
  const body = bytes.subarray(1);
  if (bytes[0] === OPEN_RECORD || bytes[0] === SIGNAL_RECORD) return unpackRecord(body, bytes[0] === OPEN_RECORD);
  if (bytes[0] === SENDER_KEY) return unpackSenderKey(decodeValue(body));
  if (bytes[0] === PRE_KEY) return decodePreKey(bytes);
  if (bytes[0] === MARKS) return toMarks(body);
  return decodeValue(bytes);
}

/** A record with parts that libsignal 6 does not make is stored as it is. */
function encodeRecord(record: SignalRecord): Uint8Array {
  const pruned = pruneRecord(record);
  try {
    const { isOpen, bytes } = packRecord(pruned);
    return withForm(isOpen ? OPEN_RECORD : SIGNAL_RECORD, bytes);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return encodeValue(pruned);
    throw error;
  }
}

/** The keys of one item, by name. */
export type Entries = ReadonlyMap<string, Uint8Array>;

const PRE_KEY_NAME = /^pre-key:(\d+)$/;

/**
 * The bytes of an item. A block of pre-keys holds their private halves alone, so that 25 of them fit one write unit.
 */
export function encodeEntries(entries: Entries): Uint8Array {
  const ids = [...entries].map(([name, bytes]) => (bytes[0] === PRE_KEY ? PRE_KEY_NAME.exec(name)?.[1] : undefined));
  const first = Math.min(...ids.map(Number));
  if (ids.length > 0 && ids.every((id) => id !== undefined && Number(id) - first < 256)) {
    const head = Buffer.alloc(5);
    head[0] = PRE_KEYS;
    head.writeUInt32BE(first, 1);
    const keys = [...entries.values()].map((bytes, at) => withForm(Number(ids[at]) - first, bytes.subarray(1)));
    return Buffer.concat([head, ...keys]);
  }
  return withForm(ENTRIES, encode([...entries].flat()));
}

/** The keys of {@link encodeEntries}. Throws for a form that is not known. */
export function decodeEntries(item: Uint8Array): Entries {
  const bytes = Buffer.from(item);
  const entries = new Map<string, Uint8Array>();
  if (bytes[0] === PRE_KEYS) {
    const first = bytes.readUInt32BE(1);
    for (let at = 5; at < bytes.length; at += 1 + PRIVATE_KEY_BYTES) {
      const key = bytes.subarray(at + 1, at + 1 + PRIVATE_KEY_BYTES);
      entries.set(`pre-key:${first + (bytes[at] ?? 0)}`, withForm(PRE_KEY, key));
    }
    return entries;
  }
  if (bytes[0] !== ENTRIES) throw new Error(`unknown form ${bytes[0]} of a stored item`);
  const flat = decode(bytes.subarray(1)) as readonly unknown[];
  // The parts are copied, because a view would keep the whole in memory.
  for (let at = 0; at < flat.length; at += 2) entries.set(String(flat[at]), copyOf(flat[at + 1] as Uint8Array));
  return entries;
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * The public halves of pre-keys by their stored bytes, each until it is read once: Baileys reads a pre-key right after it has
 * stored it, to upload it.
 */
const publicHalves = new WeakMap<Uint8Array, Uint8Array>();

function encodePreKey(pair: KeyPair): Uint8Array {
  const bytes = withForm(PRE_KEY, pair.private);
  publicHalves.set(bytes, pair.public);
  return bytes;
}

function decodePreKey(bytes: Uint8Array): KeyPair {
  const privateKey = Buffer.from(bytes.subarray(1));
  const known = publicHalves.get(bytes);
  publicHalves.delete(bytes);
  return { public: Buffer.from(known ?? publicHalfOf(privateKey)), private: privateKey };
}

function isKeyPair(value: unknown): value is KeyPair {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  if (!('private' in value && 'public' in value)) return false;
  const { private: privateKey, public: publicKey } = value;
  if (!(privateKey instanceof Uint8Array && publicKey instanceof Uint8Array)) return false;
  return privateKey.length === PRIVATE_KEY_BYTES && Buffer.from(publicHalfOf(privateKey)).equals(publicKey);
}

/** Whether a value is a list of marks of stanzas: hexadecimal, of eight bytes each. */
function isMarks(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((mark) => typeof mark === 'string' && /^[0-9a-f]{16}$/.test(mark));
}

function toMarks(bytes: Uint8Array): readonly string[] {
  const hex = Buffer.from(bytes).toString('hex');
  return Array.from({ length: bytes.length / MARK_BYTES }, (_, at) =>
    hex.slice(at * MARK_BYTES * 2, (at + 1) * MARK_BYTES * 2),
  );
}
