/** An item, or a part of one. Numbers, strings, booleans, bytes, lists and maps, as the document client gives them. */
export type Item = Readonly<Record<string, unknown>>;

/** What the placeholders of an expression stand for. */
export interface Bindings {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

type Operand = (item: Item, bindings: Bindings) => unknown;
type Condition = (item: Item, bindings: Bindings) => boolean;
type Change = (item: Item, bindings: Bindings, draft: Record<string, unknown>) => void;

/**
 * DynamoDB's expression language, as far as this product speaks it, compiled once per text. What it does not know throws:
 * an expression that is misunderstood must never pass for true. A comparison with an attribute that is missing is false.
 */
export function compileCondition(text: string): Condition {
  return cached(conditions, text, () => {
    const parser = new Parser(text);
    const condition = parser.or();
    parser.end();
    return condition;
  });
}

/** Compiles an update. It reads the item as it was and writes into a draft of it. */
export function compileUpdate(text: string): Change {
  return cached(updates, text, () => {
    const parser = new Parser(text);
    const changes: Change[] = [];
    for (;;) {
      const clause = parser.clause();
      if (clause === undefined) break;
      changes.push(...clause);
    }
    parser.end();
    return (item, bindings, draft) => {
      for (const change of changes) change(item, bindings, draft);
    };
  });
}

const conditions = new Map<string, Condition>();
const updates = new Map<string, Change>();

function cached<Compiled>(cache: Map<string, Compiled>, text: string, compile: () => Compiled): Compiled {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const compiled = compile();
  cache.set(text, compiled);
  return compiled;
}

const TOKEN = /\s*(:[A-Za-z0-9_]+|#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|<=|>=|<>|[=<>(),+-])/y;
const CLAUSES = new Set(['SET', 'REMOVE', 'ADD', 'DELETE']);

class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const match = TOKEN.exec(text);
      if (match?.[1] === undefined) throw this.#unknown();
      tokens.push(match[1]);
    }
    this.#tokens = tokens;
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw this.#unknown();
  }

  or(): Condition {
    const parts = [this.#and()];
    while (this.#take('OR')) parts.push(this.#and());
    return (item, bindings) => parts.some((part) => part(item, bindings));
  }

  /** One clause of an update, or undefined at the end. */
  clause(): readonly Change[] | undefined {
    const keyword = this.#tokens[this.#at];
    if (keyword === undefined) return undefined;
    if (!CLAUSES.has(keyword)) throw this.#unknown();
    this.#at += 1;
    const changes: Change[] = [];
    do changes.push(this.#change(keyword));
    while (this.#take(','));
    return changes;
  }

  #change(keyword: string): Change {
    const name = this.#name();
    if (keyword === 'REMOVE') {
      return (_item, bindings, draft) => {
        delete draft[name(bindings)];
      };
    }
    if (keyword === 'SET') {
      this.#expect('=');
      const value = this.#sum();
      return (item, bindings, draft) => {
        draft[name(bindings)] = value(item, bindings);
      };
    }
    if (keyword === 'ADD') {
      const value = this.#operand();
      return (item, bindings, draft) => {
        const key = name(bindings);
        draft[key] = toNumber(item[key] ?? 0) + toNumber(value(item, bindings));
      };
    }
    throw this.#unknown();
  }

  #and(): Condition {
    const parts = [this.#not()];
    while (this.#take('AND')) parts.push(this.#not());
    return (item, bindings) => parts.every((part) => part(item, bindings));
  }

  #not(): Condition {
    if (this.#take('NOT')) {
      const inner = this.#not();
      return (item, bindings) => !inner(item, bindings);
    }
    if (this.#take('(')) {
      const inner = this.or();
      this.#expect(')');
      return inner;
    }
    return this.#predicate();
  }

  #predicate(): Condition {
    if (this.#take('attribute_exists')) return this.#existence(true);
    if (this.#take('attribute_not_exists')) return this.#existence(false);
    if (this.#take('begins_with')) {
      this.#expect('(');
      const text = this.#operand();
      this.#expect(',');
      const prefix = this.#operand();
      this.#expect(')');
      return (item, bindings) => {
        const [whole, start] = [text(item, bindings), prefix(item, bindings)];
        return typeof whole === 'string' && typeof start === 'string' && whole.startsWith(start);
      };
    }
    const left = this.#operand();
    if (this.#take('IN')) return this.#membership(left);
    if (this.#take('BETWEEN')) {
      const low = this.#operand();
      this.#expect('AND');
      const high = this.#operand();
      return (item, bindings) => {
        const value = left(item, bindings);
        return compare('>=', value, low(item, bindings)) && compare('<=', value, high(item, bindings));
      };
    }
    const operator = this.#next();
    const right = this.#operand();
    if (!OPERATORS.has(operator)) throw this.#unknown();
    return (item, bindings) => compare(operator, left(item, bindings), right(item, bindings));
  }

  #existence(wanted: boolean): Condition {
    this.#expect('(');
    const name = this.#name();
    this.#expect(')');
    return (item, bindings) => (item[name(bindings)] !== undefined) === wanted;
  }

  #membership(left: Operand): Condition {
    this.#expect('(');
    const members = [this.#operand()];
    while (this.#take(',')) members.push(this.#operand());
    this.#expect(')');
    return (item, bindings) => members.some((member) => compare('=', left(item, bindings), member(item, bindings)));
  }

  #sum(): Operand {
    const left = this.#operand();
    const sign = this.#take('+') ? 1 : this.#take('-') ? -1 : 0;
    if (sign === 0) return left;
    const right = this.#operand();
    return (item, bindings) => toNumber(left(item, bindings)) + sign * toNumber(right(item, bindings));
  }

  #operand(): Operand {
    if (this.#take('if_not_exists')) {
      this.#expect('(');
      const name = this.#name();
      this.#expect(',');
      const fallback = this.#operand();
      this.#expect(')');
      return (item, bindings) => item[name(bindings)] ?? fallback(item, bindings);
    }
    const token = this.#tokens[this.#at];
    if (token?.startsWith(':') === true) {
      this.#at += 1;
      return (_item, { values }) => {
        if (!(token in values)) throw new Error(`${token} has no value in: ${this.#text}`);
        return values[token];
      };
    }
    const name = this.#name();
    return (item, bindings) => item[name(bindings)];
  }

  #name(): (bindings: Bindings) => string {
    const token = this.#next();
    if (token.startsWith('#')) {
      return ({ names }) => {
        const name = names[token];
        if (name === undefined) throw new Error(`${token} has no name in: ${this.#text}`);
        return name;
      };
    }
    if (!/^[A-Za-z_]/.test(token)) throw this.#unknown();
    return () => token;
  }

  #next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#unknown();
    this.#at += 1;
    return token;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unknown();
  }

  #unknown(): Error {
    return new Error(`this expression is not understood: ${this.#text}`);
  }
}

const OPERATORS = new Set(['=', '<>', '<', '<=', '>', '>=']);

function compare(operator: string, left: unknown, right: unknown): boolean {
  if (operator === '<>') return left !== right;
  if (left === undefined || right === undefined || typeof left !== typeof right) return false;
  if (operator === '=') return left === right;
  const [low, high] = [left as number | string, right as number | string];
  if (operator === '<') return low < high;
  if (operator === '<=') return low <= high;
  return operator === '>' ? low > high : low >= high;
}

function toNumber(value: unknown): number {
  if (typeof value !== 'number') throw new Error('an arithmetic operand is not a number');
  return value;
}
