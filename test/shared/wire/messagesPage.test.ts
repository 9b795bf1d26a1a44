import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { bookkeeping, messageFields, wrappers } from '../../../shared/wire/messageFields.ts';
import { protocolTypes } from '../../../shared/wire/protocolTypes.ts';
import { kindsSection, otherKindsSection } from './kindsTable.ts';

/** Cells of the tables, without the spaces that make them even. */
const path = join(import.meta.dirname, '../../../docs/messages.md');
const page = readFileSync(path, 'utf8').replaceAll(/ *\| */g, '|');
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

  it('has every kind, with a form or without, as the rows have it (run this file with -u)', async () => {
    const whole = readFileSync(path, 'utf8');
    const sections = [...kindsSection(), ...otherKindsSection()].join('\n');
    const text = whole.replace(/^## Kinds with a form\n.*?(?=^What people do to chats)/ms, () => `${sections}\n`);

    expect(text).toContain('| `image` |');
    await expect(await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })).toMatchFileSnapshot(path);
  });
});
