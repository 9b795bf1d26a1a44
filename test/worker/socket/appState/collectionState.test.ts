import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  emptyCollection,
  fromStored,
  MOST_KEPT_RECORDS,
  toStored,
  type CollectionState,
} from '../../../../worker/socket/appState/collectionState.ts';
import { decodeValue, encodeValue } from '../../../../worker/session/codec.ts';

const aState = (records: number): CollectionState => ({
  version: 7,
  hash: randomBytes(128),
  macs: new Map(Array.from({ length: records }, () => [randomBytes(32).toString('latin1'), randomBytes(32)])),
});

describe('a collection in the store', () => {
  it.each([0, 1, MOST_KEPT_RECORDS])('comes back as it was, with %i records, and fits an item', (records) => {
    const state = aState(records);

    const bytes = encodeValue(toStored(state));

    expect(fromStored(decodeValue(bytes))).toEqual(state);
    expect(bytes.length).toBeLessThan(300_000);
  });

  it('is not kept where it is too large', () => {
    expect(toStored(aState(MOST_KEPT_RECORDS + 1))).toBeUndefined();
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { version: 1.5, hash: emptyCollection.hash, pairs: Buffer.alloc(0) },
    { version: 1, hash: Buffer.alloc(5), pairs: Buffer.alloc(0) },
    { version: 1, hash: emptyCollection.hash, pairs: Buffer.alloc(65) },
    // Baileys keeps it in this form.
    { version: 1, hash: emptyCollection.hash, indexValueMap: {} },
  ])('is fetched anew where it is something else: %j', (stored) => {
    expect(fromStored(stored)).toBeUndefined();
  });
});
