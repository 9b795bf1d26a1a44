import { compareText, typeOf, validationException } from './attributeValues.ts';
import { ExpressionReader, once, type Bindings, type NameReader, type Operand } from './expressions.ts';
import type { SortRange } from './fakeTable.ts';

/** What a query asks for: one partition, and a range of sort keys in it. */
export interface KeyRange {
  readonly partition: string;
  readonly sort: SortRange;
}

interface Part {
  readonly name: NameReader;
  readonly operator: string;
  readonly values: readonly Operand[];
}

/** A key condition that was read. */
export interface KeyCondition {
  /** @param partitionKey attribute that must equal something */
  readonly range: (bindings: Bindings, partitionKey: string, sortKey: string) => KeyRange;
  readonly placeholders: ReadonlySet<string>;
}

/** Reads a key condition, once per text: a partition key that equals a value, and at most one condition on the sort key. */
export const compileKeyCondition = once((text): KeyCondition => {
  const reader = new ExpressionReader(text);
  const parts = [readPart(reader)];
  if (reader.take('AND')) parts.push(readPart(reader));
  reader.end();
  return {
    placeholders: reader.placeholders,
    range: (bindings, partitionKey, sortKey) => {
      const named = parts.map((part) => ({ ...part, name: part.name(bindings) }));
      const hash = named.find(({ name, operator }) => name === partitionKey && operator === '=');
      if (hash === undefined) throw validationException(`Query condition missed key schema element: ${partitionKey}`);
      const sort = named.find((part) => part !== hash);
      if (sort !== undefined && sort.name !== sortKey) {
        throw validationException(`Query condition missed key schema element: ${sortKey}`);
      }
      const [partition] = texts(hash.values, bindings);
      const range = sort === undefined ? {} : ranges[sort.operator]?.(texts(sort.values, bindings));
      if (range === undefined) throw reader.unknown();
      return { partition: partition ?? '', sort: range };
    },
  };
});

function readPart(reader: ExpressionReader): Part {
  if (reader.take('begins_with')) {
    reader.expect('(');
    const name = reader.name();
    reader.expect(',');
    const values = [reader.value()];
    reader.expect(')');
    return { name, operator: 'begins_with', values };
  }
  const name = reader.name();
  if (reader.take('BETWEEN')) {
    const low = reader.value();
    reader.expect('AND');
    return { name, operator: 'BETWEEN', values: [low, reader.value()] };
  }
  const operator = reader.next();
  if (ranges[operator] === undefined) throw reader.unknown();
  return { name, operator, values: [reader.value()] };
}

function texts(values: readonly Operand[], bindings: Bindings): readonly string[] {
  return values.map((operand) => {
    const value = operand.read({}, bindings);
    if (typeof value === 'string') return value;
    throw validationException(
      `One or more parameter values were invalid: Condition parameter type does not match schema type: ${typeOf(value)}`,
    );
  });
}

const ranges: Readonly<Record<string, (values: readonly string[]) => SortRange>> = {
  '=': ([sk = '']) => ({ from: { sk, isIncluded: true }, to: { sk, isIncluded: true } }),
  '<': ([sk = '']) => ({ to: { sk, isIncluded: false } }),
  '<=': ([sk = '']) => ({ to: { sk, isIncluded: true } }),
  '>': ([sk = '']) => ({ from: { sk, isIncluded: false } }),
  '>=': ([sk = '']) => ({ from: { sk, isIncluded: true } }),
  begins_with: ([prefix = '']) => ({ prefix }),
  BETWEEN: ([low = '', high = '']) => {
    if (compareText(low, high) > 0) {
      throw validationException('The BETWEEN operator requires upper bound to be greater than or equal to lower bound');
    }
    return { from: { sk: low, isIncluded: true }, to: { sk: high, isIncluded: true } };
  },
};
