/** Tables of a page, and what stands in their cells. */
export interface DocumentTable {
  /** The last heading above it. */
  readonly heading: string;
  /** What the comment right above it says, if there is one. */
  readonly note: string;
  readonly columns: readonly string[];
  /** Cells by their column. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** All tables of a page, in their order. */
export function tablesOf(page: string): readonly DocumentTable[] {
  const tables: DocumentTable[] = [];
  let [heading, note] = ['', ''];
  let lines: string[] = [];
  const end = (): void => {
    const [head, , ...body] = lines.map(cellsOf);
    if (head !== undefined && body.length > 0) {
      const rows = body.map((cells) => Object.fromEntries(head.map((column, at) => [column, cells[at] ?? ''])));
      tables.push({ heading, note, columns: head, rows });
    }
    if (lines.length > 0) note = '';
    lines = [];
  };
  for (const line of [...page.split('\n'), '']) {
    if (line.startsWith('|')) {
      lines.push(line);
      continue;
    }
    end();
    heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
    note = /^<!-- (.+) -->$/.exec(line)?.[1] ?? (line === '' ? note : '');
  }
  return tables;
}

/** What stands as code in a text, in its order. */
export function codesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

const SIZES: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
  KB: 1_024,
  MB: 1_048_576,
  '%': 1,
  '/s': 1,
  '': 1,
};

/** A quantity as a person writes it, such as `1.5 s` or `64 KB`: times in milliseconds, sizes in bytes, all else as it is. */
export function quantityOf(text: string): number {
  const [, digits = '', unit = ''] = /^([\d.,]+) ?(ms|s|min|h|days|KB|MB|%|\/s|)$/.exec(text) ?? [];
  const size = SIZES[unit];
  if (digits === '' || size === undefined) throw new Error(`"${text}" is no quantity`);
  return Number(digits.replaceAll(',', '')) * size;
}

function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}
