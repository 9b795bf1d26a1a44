import { DynamoDBServiceException, type AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * An item, or a part of one: strings, numbers, booleans, null, bytes, lists and maps, as the document client gives them.
 * What is stored is never written into, so a change of an item may share parts with the item before.
 */
export type Item = Readonly<Record<string, unknown>>;

/** DynamoDB's name for the type of a value. Sets are not modelled: no item of the product has one. */
export type AttributeType = 'S' | 'N' | 'BOOL' | 'NULL' | 'B' | 'L' | 'M';

/** What DynamoDB says to a request that it does not take at all. The SDK has no class of its own for it. */
export function validationException(message: string): DynamoDBServiceException {
  return new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', message, $metadata: {} });
}

/** Type of a value that is in an item. */
export function typeOf(value: unknown): AttributeType {
  if (typeof value === 'string') return 'S';
  if (typeof value === 'number') return 'N';
  if (typeof value === 'boolean') return 'BOOL';
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return 'B';
  return Array.isArray(value) ? 'L' : 'M';
}

/** A deep copy, as what arrives at the caller has been through the wire. */
export function copyItem(item: Item): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(item)) copy[name] = copyValue(item[name]);
  return copy;
}

function copyValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return Array.isArray(value) ? value.map(copyValue) : copyItem(value as Item);
}

/**
 * A deep copy of what a caller gives, without what is undefined, as the document client makes it with
 * `removeUndefinedValues`. Throws on what it would not take, and on sets and big integers, which the fake does not know.
 */
export function takeItem(given: Item): Record<string, unknown> {
  const taken: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (value !== undefined && typeof value !== 'function') taken[name] = takeValue(value);
  }
  return taken;
}

function takeValue(value: unknown): unknown {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new Error(`the document client takes no such number: ${value}`);
    }
    return value;
  }
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) {
    return value.filter((part) => part !== undefined && typeof part !== 'function').map(takeValue);
  }
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Error(`the fake stores no value of this type: ${Object.prototype.toString.call(value)}`);
  }
  return takeItem(value as Item);
}

/** The old item of a refused write comes in attribute values, because the document client does not translate exceptions. */
export function encodeItem(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, encodeValue(value)]));
}

function encodeValue(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (value instanceof Uint8Array) return { B: new Uint8Array(value) };
  return Array.isArray(value) ? { L: value.map(encodeValue) } : { M: encodeItem(value as Item) };
}

/** Whether two values that are there are the same. Types compare strictly: the number 1 is not the text "1". */
export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  const type = typeOf(left);
  if (type !== typeOf(right)) return false;
  if (type === 'B') return Buffer.compare(left as Uint8Array, right as Uint8Array) === 0;
  if (type === 'L') {
    const [some, others] = [left as readonly unknown[], right as readonly unknown[]];
    return some.length === others.length && some.every((part, index) => isEqual(part, others[index]));
  }
  if (type !== 'M') return false;
  const [one, other] = [left as Item, right as Item];
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]));
}

/** Order of two values of one type that has an order; undefined for all others. */
export function orderOf(left: unknown, right: unknown): number | undefined {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  return left instanceof Uint8Array && right instanceof Uint8Array ? Buffer.compare(left, right) : undefined;
}

/** Order of two texts by their UTF-8 bytes, which is DynamoDB's. JavaScript's own is by UTF-16. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const [here, there] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (here === there) continue;
    // Halves of a pair stand for characters beyond all that have one unit, some of which have higher units.
    const [isHalf, isOtherHalf] = [(here & 0xf800) === 0xd800, (there & 0xf800) === 0xd800];
    if (isHalf !== isOtherHalf) return isHalf ? 1 : -1;
    return here - there;
  }
  return left.length - right.length;
}
