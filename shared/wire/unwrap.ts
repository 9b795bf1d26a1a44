import { bookkeeping, CONVERSATION, DEVICE_SENT, EXTENDED_TEXT, messageFields, wrappers } from './messageFields.ts';
import { MESSAGE_INFO, readMessageInfo, type MessageInfo } from './messageInfo.ts';
import { joined, scan, wireTypes } from './protobufFields.ts';

/**
 * The number of wrappers that are opened, one in the other. A message that is wrapped deeper is named after the wrapper
 * that stays closed.
 */
const MOST_WRAPPERS = 5;
/** The number of unknown fields that are named; a message of the protocol has one. */
const MOST_UNKNOWN = 16;

/** The fields of one message, without their contents. */
export interface Level {
  /** Fields of bytes that have a name, in their order, each with all that stands under its number. */
  readonly parts: ReadonlyMap<number, readonly Uint8Array[]>;
  /** The numbers of the other fields, each once, at most 16 of them, the smallest first. */
  readonly unknown: readonly number[];
}

/** The content of the innermost message that has any. `flags` are the wrappers around it, from the outside in. */
export type Unwrapped<Content> =
  | { readonly outcome: 'content'; readonly content: Content; readonly flags: readonly string[] }
  /** A field that is there without readable content: a closed or an empty wrapper, or an empty text. */
  | { readonly outcome: 'field'; readonly number: number; readonly flags: readonly string[] }
  /** Fields that have no name. */
  | { readonly outcome: 'unknown'; readonly numbers: readonly number[]; readonly flags: readonly string[] }
  | { readonly outcome: 'malformed'; readonly flags: readonly string[] }
  /** The message has only fields that devices fill for each other. */
  | { readonly outcome: 'bookkeeping' }
  /** The message has no field at all. */
  | { readonly outcome: 'empty' };

/**
 * Opens the wrappers around a message, at most five deep. A message has content by itself, or by what it wraps, or by a
 * field that nobody knows, in this order.
 * @param read reads a message itself, its wrappers left aside; `nothing` when that is bookkeeping or empty
 */
export function unwrap<Content>(bytes: Uint8Array, read: Read<Content>): Unwrapped<Content> {
  return open(bytes, read, OUTSIDE);
}

/** @param info what stands beside the message */
type Read<Content> = (level: Level, info: MessageInfo) => Content | 'nothing' | 'malformed';

/** The way to a level. */
interface Way {
  /** The numbers of the wrappers around it, from the outside in. */
  readonly path: readonly number[];
  /** What stands beside the wrappers. */
  readonly info: MessageInfo;
}
const OUTSIDE: Way = { path: [], info: {} };

/** Opens one level. */
function open<Content>(bytes: Uint8Array, read: Read<Content>, { path, info: outer }: Way): Unwrapped<Content> {
  const flags = flagsOf(path);
  const level = readLevel(bytes);
  const info = level === 'malformed' ? outer : readMessageInfo(level.parts.get(MESSAGE_INFO), outer);
  const content = level === 'malformed' ? level : read(level, info);
  if (level === 'malformed' || content === 'malformed') return { outcome: 'malformed', flags };
  if (content !== 'nothing') return { outcome: 'content', content, flags };
  const numbers = [...level.parts.keys()];
  const wrapped = numbers
    .filter((number) => wrappers.has(number))
    .map((number) => openWrapper(number, joined(level.parts.get(number) ?? []), read, { path, info }));
  const found =
    wrapped.find(({ outcome }) => outcome === 'malformed') ??
    wrapped.find(({ outcome }) => outcome === 'content') ??
    wrapped.find(({ outcome }) => outcome === 'field' || outcome === 'unknown');
  if (found !== undefined) return found;
  if (level.unknown.length > 0) return { outcome: 'unknown', numbers: level.unknown, flags };
  const blank = [CONVERSATION, EXTENDED_TEXT].find((number) => level.parts.has(number));
  if (blank !== undefined) return { outcome: 'field', number: blank, flags };
  const isEmpty =
    numbers.every((number) => wrappers.has(number)) && wrapped.every(({ outcome }) => outcome === 'empty');
  return { outcome: isEmpty ? 'empty' : 'bookkeeping' };
}

function openWrapper<Content>(
  number: number,
  bytes: Uint8Array,
  read: Read<Content>,
  { path: outerPath, info }: Way,
): Unwrapped<Content> {
  const wrapper = wrappers.get(number);
  // Our own devices wrap once, around all else, and that wrapper counts for nothing.
  const isTransport = number === DEVICE_SENT;
  const isTooDeep = isTransport
    ? outerPath.length > 0
    : outerPath.filter((each) => each !== DEVICE_SENT).length >= MOST_WRAPPERS;
  if (wrapper === undefined || isTooDeep) return { outcome: 'field', number, flags: flagsOf(outerPath) };
  const path = [...outerPath, number];
  const parts: Uint8Array[] = [];
  let hasMore = false;
  const scanned = scan(bytes, (field) => {
    if (field.number === wrapper.inner && field.wireType === wireTypes.bytes) parts.push(field.bytes);
    else hasMore ||= !wrapper.others.includes(field.number);
  });
  if (scanned === 'malformed') return { outcome: 'malformed', flags: flagsOf(path) };
  const inner = open(joined(parts), read, { path, info });
  // An empty wrapper is something that a person sent. Only the wrapper of our own devices may be empty.
  const isField = inner.outcome === 'empty' ? !isTransport || hasMore : inner.outcome === 'bookkeeping' && hasMore;
  return isField ? { outcome: 'field', number, flags: flagsOf(path) } : inner;
}

function flagsOf(path: readonly number[]): readonly string[] {
  return [...new Set(path.flatMap((number) => wrappers.get(number)?.flag ?? []))];
}

function readLevel(bytes: Uint8Array): Level | 'malformed' {
  const parts = new Map<number, Uint8Array[]>();
  const unknown = new Set<number>();
  const scanned = scan(bytes, ({ number, wireType, bytes: content }) => {
    // All known fields hold bytes: a field of another wire type is another field.
    if (wireType !== wireTypes.bytes || messageFields[number] === undefined) {
      if (unknown.size < MOST_UNKNOWN) unknown.add(number);
      return;
    }
    const known = parts.get(number);
    if (known === undefined) parts.set(number, [content]);
    else known.push(content);
  });
  return scanned === 'malformed' ? scanned : { parts, unknown: [...unknown].toSorted((one, other) => one - other) };
}

/** Whether a field is a message of its own kind: no text, no wrapper, no field that devices fill for each other. */
export function isOfItsOwn(number: number): boolean {
  return bookkeeping[number] === undefined && !wrappers.has(number);
}
