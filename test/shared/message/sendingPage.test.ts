import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { albumField } from '../../../shared/message/albumRequest.ts';
import { askedKinds } from '../../../shared/content/content.ts';

const path = join(import.meta.dirname, '../../../docs/sending.md');

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const number = (value: number): string => value.toLocaleString('en');

/** A field, under the names of what it stands in, and its limit. */
type Limit = readonly [limit: string, name: string];
/** The most fields of one limit that are named. */
const MOST_NAMED = 4;

function limitsOf(schema: Schema, within: readonly string[] = []): readonly Limit[] {
  const name = `\`${within.join('.')}\``;
  const { maxLength, minItems = 0, maxItems, minimum, maximum, items, properties = {} } = schema;
  const limit = (has: boolean, words: string): readonly Limit[] => (has ? [[words, name]] : []);
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return [
    ...limit(maxLength !== undefined, `${number(maxLength ?? 0)} characters`),
    ...limit(maxItems !== undefined, `${minItems} to ${maxItems} entries`),
    ...limit(isBounded, `${minimum ?? 0} to ${maximum}`),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((each) => limitsOf(each, within)),
    ...(items === undefined ? [] : limitsOf(items, within)),
    ...Object.entries(properties).flatMap(([field, inner]) => limitsOf(inner, [...within, field])),
  ];
}

/** The limits in words, and the fields of each. */
function toWords(limits: readonly Limit[]): string {
  const groups = [...Map.groupBy(limits, ([limit]) => limit)].map(([limit, fields]) => {
    const names = [...new Set(fields.map(([, name]) => name))];
    const others = names.length > MOST_NAMED ? ', …' : '';
    return `${limit}: ${names.slice(0, MOST_NAMED).join(', ')}${others}`;
  });
  return groups.join('; ') || '–';
}

function requiredIn({ required = [], items, oneOf = [] }: Schema): readonly string[] {
  const [first, ...others] = oneOf;
  const ofAll = (first?.required ?? []).filter((field) => others.every((each) => each.required?.includes(field)));
  return [...required, ...ofAll, ...(items?.required ?? [])];
}

/** An album is asked for by its parts, of which each becomes a message. */
const asked = [...askedKinds, { type: 'album', asked: albumField }] as const;
const rows = asked.map(({ type, asked: given }) => {
  const schema = z.toJSONSchema(given, { unrepresentable: 'any', io: 'input' }) as Schema;
  const required = requiredIn(schema).map((field) => `\`${field}\``);
  const limits = limitsOf(schema, schema.items === undefined ? [] : [type]);
  return `| \`${type}\` | ${required.join(', ') || '–'} | ${toWords(limits)} |`;
});

describe('docs/sending.md', () => {
  it('has every kind that is sent, with its limits, as the rows have it (run this file with -u)', async () => {
    const whole = readFileSync(path, 'utf8');
    const table = ['| kind | must have | limits |', '| --- | --- | --- |', ...rows].join('\n');
    const text = whole.replace(/^\| kind .*?(?=\n\n)/ms, () => table);

    expect(text).toContain('| `location` |');
    await expect(await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })).toMatchFileSnapshot(path);
  });
});
