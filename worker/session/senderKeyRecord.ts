/**
 * The key of one sender in a group, in the form of Baileys: JSON text as bytes, of up to five states. This file prunes
 * and packs it. Baileys skips every second step of the account's own key and keeps the skipped keys: up to 334 KB,
 * rewritten with each message to the group (docs/whatsapp.md, "Groups"), although nobody ever asks the account to read
 * its own messages.
 */
interface SenderKeyState {
  readonly senderKeyId: number;
  readonly senderChainKey: { readonly iteration: number; readonly seed: unknown };
  readonly senderSigningKey: { readonly public: unknown; readonly private?: unknown };
  readonly senderMessageKeys: readonly { readonly iteration: number; readonly seed: unknown }[];
}

/**
 * The number of newest keys of skipped messages that are kept of another sender: the server delivers a group in order.
 */
const SKIPPED_KEYS = 32;

type PackedState = readonly [
  number,
  number,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  readonly (readonly [number, Uint8Array])[],
];

/** The record as arrays and bytes, pruned; undefined when the bytes are not such a record. */
export function packSenderKey(stored: Uint8Array): readonly PackedState[] | undefined {
  const states = parse(stored);
  return states?.map(({ senderKeyId, senderChainKey, senderSigningKey, senderMessageKeys }) => {
    const privateKey = toBytes(senderSigningKey.private);
    const isOurs = privateKey.length > 0;
    const skipped = isOurs ? [] : (senderMessageKeys ?? []).slice(-SKIPPED_KEYS);
    return [
      senderKeyId,
      senderChainKey.iteration,
      toBytes(senderChainKey.seed),
      toBytes(senderSigningKey.public),
      privateKey,
      skipped.map(({ iteration, seed }) => [iteration, toBytes(seed)] as const),
    ] as const;
  });
}

/** The bytes that Baileys reads. */
export function unpackSenderKey(packed: unknown): Buffer {
  const states = (packed as readonly PackedState[]).map(
    ([senderKeyId, iteration, seed, publicKey, privateKey, skipped]): SenderKeyState => ({
      senderKeyId,
      senderChainKey: { iteration, seed: toJson(seed) },
      senderSigningKey: { public: toJson(publicKey), private: toJson(privateKey) },
      senderMessageKeys: skipped.map(([at, messageSeed]) => ({ iteration: at, seed: toJson(messageSeed) })),
    }),
  );
  return Buffer.from(JSON.stringify(states));
}

function parse(stored: Uint8Array): readonly SenderKeyState[] | undefined {
  try {
    const states: unknown = JSON.parse(Buffer.from(stored).toString());
    const isRecord =
      Array.isArray(states) &&
      states.every((state: unknown) => typeof state === 'object' && state !== null && 'senderChainKey' in state);
    return isRecord ? (states as unknown as readonly SenderKeyState[]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Bytes in JSON, in any of their forms: a Buffer's, with numbers or base64, or an object of numbers (a plain byte
 * array).
 */
function toBytes(json: unknown): Uint8Array {
  if (typeof json !== 'object' || json === null) return Buffer.alloc(0);
  const data: unknown = 'data' in json ? json.data : json;
  if (typeof data === 'string') return Buffer.from(data, 'base64');
  return Buffer.from(Object.values(data as Readonly<Record<string, number>>));
}

function toJson(bytes: Uint8Array): { readonly type: 'Buffer'; readonly data: string } {
  return { type: 'Buffer', data: Buffer.from(bytes).toString('base64') };
}
