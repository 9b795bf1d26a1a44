import { createSecretKey, type KeyObject } from 'node:crypto';
import type { DataKey, KeyContext, KeyProvider } from '../../shared/platform/keyProvider.ts';
import { seal, unseal } from './seal.ts';
import { UnreadableItemError } from './sessionErrors.ts';
import type { StoredItem } from './sessionItems.ts';

/** Seals and opens the items of one connection under its data key, for one ownership. */
export class ItemSeal {
  readonly #pk: string;
  readonly #epoch: number;
  readonly #provider: KeyProvider;
  readonly #context: KeyContext;
  /**
   * The data key as an object of the platform: bytes would be made one again at each use, which takes longer than
   * sealing.
   */
  #dataKey: { readonly key: KeyObject; readonly wrapped: Uint8Array } | undefined;

  constructor(at: { readonly pk: string; readonly epoch: number }, provider: KeyProvider, context: KeyContext) {
    this.#pk = at.pk;
    this.#epoch = at.epoch;
    this.#provider = provider;
    this.#context = context;
  }

  /**
   * The wrapped data key, to be stored beside the item that is sealed with it. Makes a key for a connection that has
   * none.
   */
  async wrappedKey(): Promise<Uint8Array> {
    this.#dataKey ??= toDataKey(await this.#provider.generateDataKey(this.#context));
    return this.#dataKey.wrapped;
  }

  /** Takes the stored data key into use. Throws when the key is another connection's, or was changed. */
  async use(wrapped: Uint8Array): Promise<void> {
    this.#dataKey = toDataKey({ plaintext: await this.#provider.unwrapDataKey(wrapped, this.#context), wrapped });
  }

  /** Seals bytes as version `version` of an item. */
  seal(sk: string, version: number, plain: Uint8Array): Uint8Array {
    if (this.#dataKey === undefined) throw new Error('keys are stored only after a pairing');
    return seal(this.#dataKey.key, { pk: this.#pk, sk, version, epoch: this.#epoch }, plain);
  }

  /** Opens the body of a stored item. Throws {@link UnreadableItemError}, which must never be taken for absence. */
  open<Value>({ sk, version, epoch, body }: StoredItem, read: (plain: Uint8Array) => Value): Value {
    try {
      if (this.#dataKey === undefined || body === undefined) throw new Error('nothing to open');
      return read(unseal(this.#dataKey.key, { pk: this.#pk, sk, version, epoch }, body));
    } catch (cause) {
      throw new UnreadableItemError(sk, { cause });
    }
  }
}

function toDataKey({ plaintext, wrapped }: DataKey): { readonly key: KeyObject; readonly wrapped: Uint8Array } {
  return { key: createSecretKey(plaintext), wrapped };
}
