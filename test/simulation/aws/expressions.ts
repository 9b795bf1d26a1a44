import { isEqual, orderOf, typeOf, validationException, type Item } from './attributeValues.ts';

/** What the placeholders of an expression stand for. */
export interface Bindings {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Something that an expression computes with. */
export interface Operand {
  /** `:value` if it is one. */
  readonly placeholder: string | undefined;
  /** The value; undefined where the item does not have it. */
  readonly read: (item: Item, bindings: Bindings) => unknown;
}

/** The name of an attribute, which may be a placeholder. */
export type NameReader = (bindings: Bindings) => string;

/** A condition that was read. It holds or does not for an item; one that is absent is an item without attributes. */
export interface Condition {
  readonly holds: Holds;
  /** Placeholders that it names. */
  readonly placeholders: ReadonlySet<string>;
}

type Holds = (item: Item, bindings: Bindings) => boolean;

/**
 * Reads a condition or a filter, once per text. What the fake does not know throws: an expression that is misunderstood must
 * never pass for true. A comparison with an attribute that is missing is false, and only `<>` is then true.
 */
export const compileCondition = once((text): Condition => {
  const reader = new ExpressionReader(text);
  const holds = readOr(reader);
  reader.end();
  return { holds, placeholders: reader.placeholders };
});

/** Remembers what was made of a text: a product has some dozens of expressions and uses them for ever. */
export function once<Compiled>(compile: (text: string) => Compiled): (text: string) => Compiled {
  const known = new Map<string, Compiled>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const compiled = compile(text);
    known.set(text, compiled);
    return compiled;
  };
}

/** Placeholders must be given; those that are given must be used, unless somebody changes expressions on their way. */
export function checkPlaceholders(expressions: readonly ReadonlySet<string>[], { names, values }: Bindings): void {
  for (const [kind, given] of [
    ['Names', names],
    ['Values', values],
  ] as const) {
    const unused = Object.keys(given).filter((name) => !expressions.some((used) => used.has(name)));
    if (unused.length > 0) {
      throw validationException(
        `Value provided in ExpressionAttribute${kind} unused in expressions: keys: {${unused.join(', ')}}`,
      );
    }
  }
}

const TOKEN = /\s*(:[A-Za-z0-9_]+|#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|<=|>=|<>|[=<>(),+-])/y;

/** Walks through the words of an expression. Words of the language may be in any case; names of functions may not. */
export class ExpressionReader {
  readonly placeholders = new Set<string>();
  readonly #text: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    for (let end = 0; end < text.trimEnd().length; end = TOKEN.lastIndex) {
      const [, token] = TOKEN.exec(text) ?? [];
      if (token === undefined) throw this.unknown();
      this.#tokens.push(token);
    }
    if (this.#tokens.length === 0) throw validationException('The expression can not be empty;');
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  end(): void {
    if (!this.isAtEnd) throw this.unknown();
  }

  /** Passes a word if it is the next one. */
  take(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token !== word && (!/^[A-Z]+$/.test(word) || token?.toUpperCase() !== word)) return false;
    this.#at += 1;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.unknown();
  }

  next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.unknown();
    this.#at += 1;
    return token;
  }

  /** An attribute at the top of an item. Paths into maps and lists are not known here, and throw. */
  name(): NameReader {
    const token = this.next();
    if (token.startsWith('#')) {
      this.placeholders.add(token);
      return ({ names }) => {
        const name = Object.hasOwn(names, token) ? names[token] : undefined;
        if (name === undefined) throw this.#undefinedPlaceholder('name', token);
        return name;
      };
    }
    if (!/^[A-Za-z_]/.test(token) || this.#tokens[this.#at] === '(') throw this.unknown();
    return () => token;
  }

  /** A `:value`. */
  value(): Operand {
    const token = this.next();
    if (!token.startsWith(':')) throw this.unknown();
    this.placeholders.add(token);
    return {
      placeholder: token,
      read: (_item, { values }) => {
        if (!Object.hasOwn(values, token)) throw this.#undefinedPlaceholder('value', token);
        return values[token];
      },
    };
  }

  /** A `:value` or an attribute. */
  operand(): Operand {
    if (this.#tokens[this.#at]?.startsWith(':') === true) return this.value();
    const name = this.name();
    return { placeholder: undefined, read: (item, bindings) => attributeOf(item, name(bindings)) };
  }

  /** After an opening parenthesis: DynamoDB takes no second pair around the same thing. */
  refuseRedundantParenthesis(): void {
    if (this.#tokens[this.#at] !== '(') return;
    let depth = 0;
    for (let at = this.#at; at < this.#tokens.length; at += 1) {
      if (this.#tokens[at] === '(') depth += 1;
      if (this.#tokens[at] === ')') depth -= 1;
      if (depth > 0) continue;
      if (this.#tokens[at + 1] === ')') throw validationException('The expression has redundant parentheses;');
      return;
    }
  }

  unknown(): Error {
    return new Error(`the fake does not know this expression: ${this.#text}`);
  }

  #undefinedPlaceholder(kind: 'name' | 'value', token: string): Error {
    return validationException(
      `An expression attribute ${kind} used in the document path is not defined; attribute ${kind}: ${token}`,
    );
  }
}

export function attributeOf(item: Item, name: string): unknown {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

function readOr(reader: ExpressionReader): Holds {
  const parts = [readAnd(reader)];
  while (reader.take('OR')) parts.push(readAnd(reader));
  if (parts.length === 1) return parts[0] as Holds;
  return (item, bindings) => parts.some((holds) => holds(item, bindings));
}

function readAnd(reader: ExpressionReader): Holds {
  const parts = [readNot(reader)];
  while (reader.take('AND')) parts.push(readNot(reader));
  if (parts.length === 1) return parts[0] as Holds;
  return (item, bindings) => parts.every((holds) => holds(item, bindings));
}

function readNot(reader: ExpressionReader): Holds {
  if (reader.take('NOT')) {
    const holds = readNot(reader);
    return (item, bindings) => !holds(item, bindings);
  }
  if (!reader.take('(')) return readComparison(reader);
  reader.refuseRedundantParenthesis();
  const holds = readOr(reader);
  reader.expect(')');
  return holds;
}

function readComparison(reader: ExpressionReader): Holds {
  if (reader.take('attribute_exists')) return readExistence(reader, true);
  if (reader.take('attribute_not_exists')) return readExistence(reader, false);
  if (reader.take('begins_with')) return readPrefix(reader);
  const left = reader.operand();
  if (reader.take('IN')) {
    reader.expect('(');
    const members = [reader.operand()];
    while (reader.take(',')) members.push(reader.operand());
    reader.expect(')');
    return (item, bindings) => members.some((member) => compare['=']?.(left, member, item, bindings) === true);
  }
  if (reader.take('BETWEEN')) {
    const low = reader.operand();
    reader.expect('AND');
    const high = reader.operand();
    return (item, bindings) =>
      ordered(left, low, item, bindings, (order) => order >= 0) &&
      ordered(left, high, item, bindings, (order) => order <= 0);
  }
  const comparison = compare[reader.next()];
  if (comparison === undefined) throw reader.unknown();
  const right = reader.operand();
  return (item, bindings) => comparison(left, right, item, bindings);
}

function readExistence(reader: ExpressionReader, wanted: boolean): Holds {
  reader.expect('(');
  const name = reader.name();
  reader.expect(')');
  return (item, bindings) => Object.hasOwn(item, name(bindings)) === wanted;
}

function readPrefix(reader: ExpressionReader): Holds {
  reader.expect('(');
  const text = reader.operand();
  reader.expect(',');
  const prefix = reader.operand();
  reader.expect(')');
  return (item, bindings) => {
    const [whole, start] = [text.read(item, bindings), prefix.read(item, bindings)];
    if (typeof start !== 'string' && prefix.placeholder !== undefined) throw incorrectOperand('begins_with', start);
    return typeof whole === 'string' && typeof start === 'string' && whole.startsWith(start);
  };
}

type Comparison = (left: Operand, right: Operand, item: Item, bindings: Bindings) => boolean;

const isSame: Comparison = (left, right, item, bindings) => {
  const [one, other] = [left.read(item, bindings), right.read(item, bindings)];
  return one !== undefined && other !== undefined && isEqual(one, other);
};

const compare: Readonly<Record<string, Comparison>> = {
  '=': isSame,
  '<>': (...given) => !isSame(...given),
  '<': (...given) => ordered(...given, (order) => order < 0),
  '<=': (...given) => ordered(...given, (order) => order <= 0),
  '>': (...given) => ordered(...given, (order) => order > 0),
  '>=': (...given) => ordered(...given, (order) => order >= 0),
};

function ordered(
  left: Operand,
  right: Operand,
  item: Item,
  bindings: Bindings,
  judge: (order: number) => boolean,
): boolean {
  const [one, other] = [left.read(item, bindings), right.read(item, bindings)];
  for (const [{ placeholder }, value] of [
    [left, one],
    [right, other],
  ] as const) {
    if (placeholder !== undefined && !['S', 'N', 'B'].includes(typeOf(value))) throw incorrectOperand('order', value);
  }
  const order = orderOf(one, other);
  return order !== undefined && judge(order);
}

export function incorrectOperand(operator: string, value: unknown): Error {
  return validationException(
    `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${typeOf(value)}`,
  );
}
