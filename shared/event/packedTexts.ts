import { deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * The texts of a page as its item has them. DynamoDB bills a write by the KB and a read by four, and events of one page are much alike, so a
 * page of more than one KB is packed: ten events of 7 KB take about two. A reader gets the same bytes that were given.
 */
export type StoredTexts = { readonly events: readonly string[] } | { readonly packed: Uint8Array };

/** The size up to which an item costs one write unit, less the fields beside the texts. */
const UNPACKED_BYTES = 900;
/** The most bytes that a page unpacks to: more than twice of what a page may have. A row that says more is no page of ours. */
const MOST_BYTES = 1_024 * 1_024;
/** Speed counts more than the last bytes: the fastest level takes a tenth of a millisecond for ten events, and packs nearly as well. */
const LEVEL = 1;

export function toStoredTexts(texts: readonly string[]): StoredTexts {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return bytes <= UNPACKED_BYTES
    ? { events: texts }
    : { packed: deflateRawSync(JSON.stringify(texts), { level: LEVEL }) };
}

/** The texts of an item; undefined for one that has none, as a void. Throws for packed bytes that are none of ours. */
export function toTexts({ events, packed }: { readonly events?: unknown; readonly packed?: unknown }) {
  if (packed instanceof Uint8Array) {
    return JSON.parse(inflateRawSync(packed, { maxOutputLength: MOST_BYTES }).toString()) as readonly string[];
  }
  return events as readonly string[] | undefined;
}
