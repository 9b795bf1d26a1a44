/** Source text read just far enough to look for calls in it: comments and texts are blanked, places stay as they are. */

/** Before a slash that begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*<>~^]|\breturn|\bcase|=>)\s*$/;

/** Puts spaces in the place of comments, regular expressions and the characters of texts; line breaks stay. */
export function blankTexts(source: string): string {
  const out = Array.from({ length: source.length }, (_, at) => source[at]);
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) if (out[at] !== '\n') out[at] = ' ';
  };
  scan(source, blank, blank);
  return out.join('');
}

export interface Comment {
  /** The line on which it begins; 1 is the first. */
  readonly line: number;
  /** The words on one line, without the marks of a comment. Comments on lines of their own, one below the other, are one. */
  readonly text: string;
}

/** The comments of a source, in their order. */
export function commentsOf(source: string): readonly Comment[] {
  const found: { line: number; endLine: number; isLine: boolean; text: string }[] = [];
  const add = (from: number, to: number): void => {
    const raw = source.slice(from, to);
    const isOwn = source.slice(source.lastIndexOf('\n', from - 1) + 1, from).trim() === '';
    const isLine = raw.startsWith('//') && isOwn;
    const line = source.slice(0, from).split('\n').length;
    const endLine = line + raw.split('\n').length - 1;
    const text = raw
      .replaceAll(/^\/\*+|\*+\/$|^\s*\*(?!\/)|^\/\//gm, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const last = found.at(-1);
    if (isLine && last?.isLine === true && last.endLine === line - 1) {
      last.text += ` ${text}`;
      last.endLine = endLine;
    } else found.push({ line, endLine, isLine, text });
  };
  scan(source, add, () => undefined);
  return found;
}

type OnSpan = (from: number, to: number) => void;

/** Calls back with each comment of a source, and with the inside of each text and regular expression. */
function scan(source: string, onComment: OnSpan, onText: OnSpan): void {
  /** Depth of braces in each template's expression that is being read. */
  const templates: number[] = [];
  let at = 0;
  const readTemplate = (): void => {
    const from = at;
    while (at < source.length && source[at] !== '`' && !source.startsWith('${', at)) at += source[at] === '\\' ? 2 : 1;
    onText(from, at);
    if (source[at] === '`') at += 1;
    else {
      templates.push(0);
      at += 2;
    }
  };
  while (at < source.length) {
    const character = source[at] ?? '';
    if (source.startsWith('//', at) || source.startsWith('/*', at)) {
      const isLine = source[at + 1] === '/';
      const found = source.indexOf(isLine ? '\n' : '*/', at + 2);
      const end = found === -1 ? source.length : found + (isLine ? 0 : 2);
      onComment(at, end);
      at = end;
    } else if (character === "'" || character === '"') {
      const end = endOf(source, at + 1, character);
      onText(at + 1, end);
      at = end + 1;
    } else if (character === '/' && BEFORE_REGEX.test(source.slice(Math.max(0, at - 20), at))) {
      const end = endOf(source, at + 1, '/');
      onText(at, end + 1);
      at = end + 1;
    } else if (character === '`') {
      at += 1;
      readTemplate();
    } else {
      const depth = templates.at(-1);
      at += 1;
      if (depth === undefined) continue;
      if (character === '{') templates[templates.length - 1] = depth + 1;
      else if (character === '}' && depth > 0) templates[templates.length - 1] = depth - 1;
      else if (character === '}') {
        templates.pop();
        readTemplate();
      }
    }
  }
}

/** Where a text or a regular expression ends that began before `from`. */
function endOf(source: string, from: number, mark: string): number {
  let inClass = false;
  for (let at = from; at < source.length; at += 1) {
    const character = source[at];
    if (character === '\\') at += 1;
    else if (mark === '/' && character === '[') inClass = true;
    else if (mark === '/' && character === ']') inClass = false;
    else if ((character === mark && !inClass) || character === '\n') return at;
  }
  return source.length;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What stands between a parenthesis that opens at `at` and its partner. */
export function argumentsAt(blanked: string, at: number): Span {
  let depth = 0;
  for (let end = at; end < blanked.length; end += 1) {
    if (blanked[end] === '(') depth += 1;
    if (blanked[end] === ')') depth -= 1;
    if (depth === 0) return { from: at, to: end };
  }
  return { from: at, to: blanked.length };
}

/** The arguments of each call of a function. */
export function argumentsOf(blanked: string, name: string): readonly Span[] {
  return [...blanked.matchAll(new RegExp(String.raw`\b${name}\s*(?:<[^()]*>)?\(`, 'g'))].map(({ index, 0: text }) =>
    argumentsAt(blanked, index + text.length - 1),
  );
}

export interface ImportedName {
  readonly module: string;
  /** What the module calls it; `*` for the whole module. */
  readonly original: string;
}

/** Names that a source imports for use, not as types. */
export function importedNames(source: string): ReadonlyMap<string, ImportedName> {
  const found = new Map<string, ImportedName>();
  for (const [, clause = '', module = ''] of source.matchAll(/(?:^|\n)import\s+([^'";]*?)\s+from\s+'([^']+)'/g)) {
    if (clause.startsWith('type ')) continue;
    for (const part of clause.replaceAll(/[{}]/g, ',').split(',')) {
      const [original = '', name = original] = part.trim().split(/\s+as\s+/);
      if (original !== '' && !original.startsWith('type ')) found.set(name, { module, original });
    }
  }
  return found;
}
