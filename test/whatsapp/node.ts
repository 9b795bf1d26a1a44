import type { BinaryNode } from '@whiskeysockets/baileys';

export type { BinaryNode };

/** Shapes of WhatsApp's XML-like nodes, and how to read them. */
export function node(tag: string, attrs: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

export function children(parent: BinaryNode | undefined, tag?: string): readonly BinaryNode[] {
  const content = parent?.content;
  if (!Array.isArray(content)) return [];
  return tag === undefined ? content : content.filter((child) => child.tag === tag);
}

export function child(parent: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  return children(parent, tag)[0];
}

/** Bytes in a child's content; undefined if there is no such child. */
export function bytesOf(parent: BinaryNode | undefined, tag: string): Buffer | undefined {
  const content = child(parent, tag)?.content;
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? Buffer.from(content) : undefined;
}

/** A big-endian number in a child's content. */
export function numberOf(parent: BinaryNode | undefined, tag: string): number | undefined {
  const bytes = bytesOf(parent, tag);
  return bytes === undefined ? undefined : bytes.readUIntBE(0, bytes.length);
}

/** A whole number as big-endian bytes. */
export function bigEndian(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

/** Seconds since 1970, as attributes carry it. */
export function stamp(): string {
  return String(Math.floor(Date.now() / 1_000));
}
