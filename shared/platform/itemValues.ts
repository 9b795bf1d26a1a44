/**
 * DynamoDB's form of our items, as it stands in the JSON of a call. It is the form of `@aws-sdk/util-dynamodb` (a test
 * compares the two), made in one step and without the copies that the SDK makes of each value on its way.
 */
export type StoredValue = Readonly<Record<string, unknown>>;

/** The greatest whole number that a `number` holds exactly. */
const EXACT = Number.MAX_SAFE_INTEGER;

/**
 * DynamoDB's form of a value. Undefined members of maps and lists are left out.
 * Throws TypeError for what DynamoDB has no form of, and for numbers that would not come back as they are.
 */
export function toStored(value: unknown): StoredValue {
  if (value === null) return { NULL: true };
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
      return { N: textOf(value) };
    case 'bigint':
      return { N: value.toString() };
    case 'boolean':
      return { BOOL: value };
    default:
      break;
  }
  if (value instanceof Uint8Array) return { B: base64Of(value) };
  if (Array.isArray(value)) return { L: value.filter((each) => each !== undefined).map(toStored) };
  if (value instanceof Set) return toStoredSet(value);
  if (isPlain(value)) return { M: toStoredMap(value) };
  throw new TypeError(`DynamoDB has no form of a value of type ${typeof value}`);
}

/** The members of an item, each in DynamoDB's form. */
export function toStoredMap(item: Readonly<Record<string, unknown>>): Record<string, StoredValue> {
  const stored: Record<string, StoredValue> = {};
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (value !== undefined && typeof value !== 'function') set(stored, name, toStored(value));
  }
  return stored;
}

/** The value of what DynamoDB answers. Throws TypeError for a form that it does not have. */
export function fromStored(stored: StoredValue): unknown {
  for (const kind in stored) {
    const value = stored[kind];
    switch (kind) {
      case 'S':
      case 'BOOL':
        return value;
      case 'N':
        return numberOf(value as string);
      case 'NULL':
        return null;
      case 'M':
        return fromStoredMap(value as Readonly<Record<string, StoredValue>>);
      case 'L':
        return (value as readonly StoredValue[]).map(fromStored);
      case 'B':
        return bytesOf(value as string);
      case 'SS':
        return new Set(value as readonly string[]);
      case 'NS':
        return new Set((value as readonly string[]).map(numberOf));
      case 'BS':
        return new Set((value as readonly string[]).map(bytesOf));
      default:
        break;
    }
  }
  throw new TypeError('DynamoDB answered a value of an unknown form');
}

/** The item of what DynamoDB answers. */
export function fromStoredMap(stored: Readonly<Record<string, StoredValue>>): Record<string, unknown> {
  const item: Record<string, unknown> = {};
  for (const name of Object.keys(stored)) {
    const value = stored[name];
    if (value !== undefined) set(item, name, fromStored(value));
  }
  return item;
}

/** The bytes that stand in JSON as base64. */
export function bytesOf(base64: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(base64, 'base64');
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function toStoredSet(values: ReadonlySet<unknown>): StoredValue {
  const all = [...values];
  const [first] = all;
  if (typeof first === 'string') return { SS: all };
  if (typeof first === 'number' || typeof first === 'bigint') return { NS: all.map((each) => toStored(each)['N']) };
  if (first instanceof Uint8Array) return { BS: all.map((each) => toStored(each)['B']) };
  throw new TypeError('DynamoDB has no form of this set');
}

function textOf(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError('DynamoDB has no form of a number that is not finite');
  if (Math.abs(value) > EXACT) throw new TypeError('a number is too large to come back as it is');
  return String(value);
}

function numberOf(text: string): number | bigint {
  const value = Number(text);
  return Math.abs(value) > EXACT && /^-?\d+$/.test(text) ? BigInt(text) : value;
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Sets a member, also one that is called `__proto__`, which an assignment would not make. */
function set(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}
