import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';
import type { Emitter, Scope } from '../../../shared/kernel/scope.ts';
import { parseJid } from '../../../shared/kernel/jid.ts';
import { NO_NUMBER } from '../port/lookUpError.ts';

/**
 * The number of devices that are remembered, and how long they are left out: their owner may give them keys at any
 * time.
 */
const MOST_REMEMBERED = 2_000;
const REMEMBERED_MS = 10 * 60_000;

/**
 * The keys of devices, as WhatsApp gives them. A device may have none, or unusable ones: a person who links a client of
 * their own decides that. Baileys lets one such device fail the whole answer, and with it every message to a group that
 * its owner is in. Here it is taken out of the answer before Baileys reads it, and left out of the lists of devices for
 * a while: the message goes to all others.
 */
export class KeyAnswers {
  readonly #monotonicMs: () => number;
  /**
   * When a device was found to have no usable keys. Made with the first of them, as most connections never meet one.
   */
  #withoutKeys: LRUCache<string, number> | undefined;
  #found = 0;
  #refusal: number | undefined;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Follows the answers with keys.
   * @param stanzas the emitter of Baileys' WebSocket: it announces each frame before the stanza in it
   */
  watch(scope: Scope, stanzas: Emitter): void {
    scope.listen(stanzas, 'frame', (frame: BinaryNode | Uint8Array) => {
      if (!(frame instanceof Uint8Array)) this.#sift(frame);
    });
  }

  /** The number of devices without usable keys that were met: a difference shows that there was one in an answer. */
  get found(): number {
    return this.#found;
  }

  /** The number with which the keys of a device were refused since the last call; `NO_NUMBER` for unusable ones. */
  takeRefusal(): number | undefined {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    return refusal;
  }

  isUsable(user: string, device: number): boolean {
    const foundAtMs = this.#withoutKeys?.get(`${user}:${device}`);
    return foundAtMs === undefined || this.#monotonicMs() - foundAtMs > REMEMBERED_MS;
  }

  #sift(frame: BinaryNode): void {
    if (frame.tag !== 'iq' || frame.attrs['type'] !== 'result') return;
    // Baileys remembers the children of each node that it was once asked for, so it is not asked for children that may
    // change.
    const list = childrenOf(frame).find(({ tag }) => tag === 'list');
    const users = childrenOf(list).filter(({ tag }) => tag === 'user');
    if (list === undefined || users.length === 0) return;
    const refused = users.filter((user) => !hasUsableKeys(user));
    if (refused.length === 0) return;
    for (const user of refused) this.#note(user);
    list.content = users.filter((user) => !refused.includes(user));
  }

  #note(user: BinaryNode): void {
    const { user: name = '', device = 0 } = parseJid(user.attrs['jid'] ?? '') ?? {};
    const code = Number(getBinaryNodeChild(user, 'error')?.attrs['code'] ?? NO_NUMBER);
    this.#refusal = Number.isSafeInteger(code) ? code : NO_NUMBER;
    this.#found += 1;
    // The cache counts by size and not by number: a number would reserve room for all entries at once.
    this.#withoutKeys ??= new LRUCache({ maxSize: MOST_REMEMBERED, sizeCalculation: () => 1 });
    this.#withoutKeys.set(`${name}:${device}`, this.#monotonicMs());
  }
}

const PUBLIC_KEY_BYTES: readonly number[] = [32, 33];

function hasUsableKeys(user: BinaryNode): boolean {
  const signed = getBinaryNodeChild(user, 'skey');
  const once = getBinaryNodeChild(user, 'key');
  const identity = bytesIn(user, 'identity');
  const value = bytesIn(signed, 'value');
  const signature = bytesIn(signed, 'signature');
  if (getBinaryNodeChild(user, 'error') !== undefined || bytesIn(user, 'registration').length !== 4) return false;
  if (![identity, value, ...(once === undefined ? [] : [bytesIn(once, 'value')])].every(isPublicKey)) return false;
  if (![signed, once].every((key) => key === undefined || bytesIn(key, 'id').length === 3)) return false;
  // Libsignal decides whether the key is right, and asks for no more than this.
  return signature.length === 64;
}

function childrenOf(node: BinaryNode | undefined): readonly BinaryNode[] {
  return Array.isArray(node?.content) ? node.content : [];
}

function bytesIn(node: BinaryNode | undefined, tag: string): Uint8Array {
  const content = getBinaryNodeChild(node, tag)?.content;
  return content instanceof Uint8Array ? content : Buffer.alloc(0);
}

function isPublicKey(bytes: Uint8Array): boolean {
  return PUBLIC_KEY_BYTES.includes(bytes.length) && (bytes.length === 32 || bytes[0] === 5);
}
