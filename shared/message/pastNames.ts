import { createHash } from 'node:crypto';
import { timeOfId, type MessageId } from '../kernel/id.ts';
import { NAME_ROWS } from '../platform/historyKeys.ts';
import type { Item } from '../platform/pages.ts';

/** A name in its row: eight bytes of a hash, six of the time, and the ten that make an id of it. */
const NAME_BYTES = 24;
const HASH_BYTES = 8;

const hashed = (key: string): Buffer => createHash('sha256').update(key).digest();
/** The hash by which a key stands in a name. */
export const hashOfKey = (key: string): string => hashed(key).subarray(0, HASH_BYTES).toString('base64');

/** The row of names in which the one of a key stands, of those of its chat. */
export function pastNamesRowOf(key: string): number {
  return (hashed(key)[HASH_BYTES] ?? 0) % NAME_ROWS;
}

/** The id of the message of a key, if a row of names has it. */
export function pastIdIn(item: Item, key: string): MessageId | undefined {
  const hash = hashOfKey(key);
  return namesIn(item).find(([name]) => name === hash)?.[1];
}

/** The name of a message: the hash of its key, and its id, whose characters carry five bits each. */
export function toName({ key, messageId }: { readonly key: string; readonly messageId: MessageId }): Uint8Array {
  const name = Buffer.alloc(NAME_BYTES);
  hashed(key).copy(name, 0, 0, HASH_BYTES);
  name.writeUIntBE(timeOfId(messageId), HASH_BYTES, 6);
  let chance = 0n;
  for (const one of messageId.slice(-16)) chance = chance * 32n + BigInt(ALPHABET.indexOf(one));
  Buffer.from(chance.toString(16).padStart(20, '0'), 'hex').copy(name, HASH_BYTES + 6);
  return name;
}

/** The characters of a ULID. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function fromName(name: Uint8Array): readonly [hash: string, id: MessageId] {
  const bytes = Buffer.from(name);
  let rest = BigInt(`0x${bytes.subarray(HASH_BYTES).toString('hex')}`);
  let id = '';
  for (let place = 0; place < 26; place += 1) {
    id = (ALPHABET[Number(rest & 31n)] ?? '') + id;
    rest >>= 5n;
  }
  return [bytes.subarray(0, HASH_BYTES).toString('base64'), `msg_${id}` as MessageId];
}

/** The names in a row of them. */
export function namesIn(item: Item): readonly (readonly [hash: string, id: MessageId])[] {
  return [...((item['names'] as ReadonlySet<Uint8Array> | undefined) ?? [])].map(fromName);
}
