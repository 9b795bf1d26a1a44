import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bookkeeping, kindOf, messageFields, wrappers } from '../../../shared/wire/messageFields.ts';
import { protocolTypes } from '../../../shared/wire/protocolTypes.ts';

/** Cells of the tables, without the spaces that make them even. */
const page = readFileSync(join(import.meta.dirname, '../../../docs/messages.md'), 'utf8').replaceAll(/ *\| */g, '|');
const missing = (rows: readonly string[]): readonly string[] => rows.filter((row) => !page.includes(row));

describe('docs/messages.md', () => {
  it('has every wrapper with its flag', () => {
    const rows = [...wrappers].map(
      ([number, { flag }]) => `|\`${messageFields[number]}\`|${number}|${flag === undefined ? '' : `\`${flag}\`|`}`,
    );

    expect(missing(rows)).toEqual([]);
  });

  it('has every field of bookkeeping with the reason', () => {
    const fields = Object.entries(bookkeeping).map(
      ([number, reason]) => `|\`${messageFields[Number(number)]}\`|${number}|${reason}|`,
    );
    const types = Object.entries(protocolTypes).map(([type, known]) =>
      'told' in known ? `\`${known.told}\` (${type})` : `|${type}|${known.bookkeeping}|`,
    );

    expect(missing([...fields, ...types])).toEqual([]);
  });

  it('has every kind', () => {
    const kinds = Object.keys(messageFields)
      .map(Number)
      .filter((number) => bookkeeping[number] === undefined && number !== 12 && number !== 31)
      .map((number) => `\`${kindOf(number)}\``);

    expect(missing(kinds)).toEqual([]);
  });
});
