import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { field, numberField } from './wire.ts';

/** WhatsApp's messages as Baileys defines them: what contents there are is read from there, and not from a list of ours. */
export interface FieldDefinition {
  readonly name: string;
  readonly number: number;
  /** A scalar such as `string`, or the full name of a message or an enumeration. */
  readonly type: string;
}

const SCALARS: ReadonlySet<string> = new Set(
  'double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes'.split(' '),
);
const EIGHT_BYTES: ReadonlySet<string> = new Set(['double', 'fixed64', 'sfixed64']);
const FOUR_BYTES: ReadonlySet<string> = new Set(['float', 'fixed32', 'sfixed32']);
const DEEPEST = 3;

/** Fields by the full name of their message, such as `Message.ImageMessage`. */
export function readDefinitions(): ReadonlyMap<string, readonly FieldDefinition[]> {
  const path = createRequire(import.meta.url).resolve('@whiskeysockets/baileys/WAProto/WAProto.proto');
  const found = new Map<string, FieldDefinition[]>();
  const scope: string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, kind, opened] = /^\s*(message|enum|oneof)\s+(\w+)\s*\{/.exec(line) ?? [];
    if (opened !== undefined && kind === 'message') found.set([...scope, opened].join('.'), []);
    if (opened !== undefined) scope.push(kind === 'message' ? opened : '');
    const [, type = '', name = '', number] =
      /^\s*(?:optional|required|repeated)?\s*([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*[;[]/.exec(line) ?? [];
    const owner = scope.filter((part) => part !== '').join('.');
    if (number !== undefined) found.get(owner)?.push({ name, number: Number(number), type });
    if (/\}\s*$/.test(line)) scope.pop();
  }
  return new Map([...found].map(([owner, fields]) => [owner, fields.map((each) => resolve(found, owner, each))]));
}

/** A type is looked for in the message that names it, then in those around it. */
function resolve(known: ReadonlyMap<string, unknown>, owner: string, definition: FieldDefinition): FieldDefinition {
  if (SCALARS.has(definition.type)) return definition;
  const parts = owner.split('.');
  for (let length = parts.length; length >= 0; length -= 1) {
    const type = [...parts.slice(0, length), definition.type].join('.');
    if (known.has(type)) return { ...definition, type };
  }
  return { ...definition, type: 'enum' };
}

export type Definitions = ReturnType<typeof readDefinitions>;

/** A field as its sender fills it: a text in each text, and so on inwards. @param text what stands in each text */
export function fillField(
  definitions: Definitions,
  { number, type }: FieldDefinition,
  text: string,
  depth = 0,
): Buffer {
  if (type === 'string' || type === 'bytes') return field(number, Buffer.from(text));
  const inner = definitions.get(type);
  if (inner !== undefined) {
    const filled = depth >= DEEPEST ? [] : inner.map((each) => fillField(definitions, each, text, depth + 1));
    return field(number, Buffer.concat(filled));
  }
  if (EIGHT_BYTES.has(type)) return Buffer.concat([Buffer.from([]), tagged(number, 1), Buffer.alloc(8, 1)]);
  if (FOUR_BYTES.has(type)) return Buffer.concat([tagged(number, 5), Buffer.alloc(4, 1)]);
  return numberField(number, 1);
}

function tagged(number: number, wireType: number): Buffer {
  const tag = numberField(number, 0);
  // The first byte of a tag holds the wire type in its lowest bits.
  return Buffer.concat([Buffer.from([(tag[0] ?? 0) | wireType]), tag.subarray(1, -1)]);
}
