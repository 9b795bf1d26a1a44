/**
 * How values are written: one version byte, then JSON in which bytes stand as `{"$bytes": "<base64>"}`. The version comes
 * first so that the form can change under a rolling deploy.
 */
const VERSION = 1;

/** Bytes of a value made of plain objects, arrays, strings, numbers, booleans and byte arrays. */
export function encodeValue(value: unknown): Uint8Array {
  return Buffer.concat([Buffer.from([VERSION]), Buffer.from(JSON.stringify(toPlain(value)))]);
}

/** The value of {@link encodeValue}; bytes come back as Buffers. Throws for another version or broken JSON. */
export function decodeValue(bytes: Uint8Array): unknown {
  if (bytes[0] !== VERSION) throw new Error(`unknown codec version ${bytes[0]}`);
  return JSON.parse(Buffer.from(bytes.subarray(1)).toString(), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$bytes' in value)) return value;
    return Buffer.from(String(value.$bytes), 'base64');
  });
}

/** Replaces bytes before JSON sees them: Buffers have a `toJSON` of their own that would come first. */
function toPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value;
  const plain = 'toJSON' in value && typeof value.toJSON === 'function' ? (value.toJSON as () => unknown)() : value;
  if (plain !== value) return toPlain(plain);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toPlain(entry)]));
}
