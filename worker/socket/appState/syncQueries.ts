import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import type { CollectionName } from './collectionState.ts';

/** The queries about one collection, and the reading of their answers. Source of the forms: Baileys, `Socket/chats`. */
export interface AskedCollection {
  readonly name: CollectionName;
  readonly version: number;
}

/** Asks for what is new since a version, or for all of it. */
export function toFetchQuery({ name, version }: AskedCollection, wantsSnapshot: boolean): BinaryNode {
  return toQuery({ name, version: String(version), return_snapshot: String(wantsSnapshot) });
}

/** Asks to take a patch on top of a version. */
export function toPatchQuery({ name, version }: AskedCollection, patch: Uint8Array): BinaryNode {
  const attrs = { name, version: String(version), return_snapshot: 'false' };
  return toQuery(attrs, [{ tag: 'patch', attrs: {}, content: patch }]);
}

function toQuery(attrs: Record<string, string>, content?: BinaryNode[]): BinaryNode {
  const collection = { tag: 'collection', attrs, ...(content === undefined ? {} : { content }) };
  return {
    tag: 'iq',
    attrs: { to: 's.whatsapp.net', type: 'set', xmlns: 'w:sync:app:state' },
    content: [{ tag: 'sync', attrs: {}, content: [collection] }],
  };
}

/** The answer for one collection. */
export type Answered =
  | {
      readonly answer: 'given';
      readonly patches: readonly Uint8Array[];
      readonly snapshot: Uint8Array | undefined;
      readonly hasMore: boolean;
    }
  /** Refused with this number; 0 where there is none. Baileys takes it for success. */
  | { readonly answer: 'refused'; readonly code: number };

/** Reads an answer. Where it says nothing of the collection, it is refused without a number. */
export function readAnswer(answer: BinaryNode, name: CollectionName): Answered {
  const collections = childrenOf(childOf(answer, 'sync')).filter(({ tag }) => tag === 'collection');
  const collection = collections.find(({ attrs }) => attrs['name'] === name);
  if (collection === undefined) return { answer: 'refused', code: 0 };
  if (collection.attrs['type'] === 'error') {
    const code = Number(childOf(collection, 'error')?.attrs['code'] ?? 0);
    return { answer: 'refused', code: Number.isSafeInteger(code) && code > 0 ? code : 0 };
  }
  const holder = childOf(collection, 'patches') ?? collection;
  const patches = childrenOf(holder).filter(({ tag }) => tag === 'patch');
  return {
    answer: 'given',
    patches: patches.flatMap((patch) => bytesOf(patch) ?? []),
    snapshot: bytesOf(childOf(collection, 'snapshot')),
    hasMore: collection.attrs['has_more_patches'] === 'true',
  };
}

/** A message of the protocol; undefined for bytes that are none. */
export function decoded<Message>(decode: (bytes: Uint8Array) => Message, bytes: Uint8Array): Message | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

export const decodePatch = (bytes: Uint8Array): proto.SyncdPatch => proto.SyncdPatch.decode(bytes);

function childrenOf(node: BinaryNode | undefined): readonly BinaryNode[] {
  return Array.isArray(node?.content) ? node.content : [];
}

function childOf(node: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  return childrenOf(node).find((child) => child.tag === tag);
}

function bytesOf(node: BinaryNode | undefined): Uint8Array | undefined {
  return node?.content instanceof Uint8Array ? node.content : undefined;
}
