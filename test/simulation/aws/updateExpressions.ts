import { typeOf, validationException, type Item } from './attributeValues.ts';
import {
  attributeOf,
  ExpressionReader,
  incorrectOperand,
  once,
  type Bindings,
  type NameReader,
  type Operand,
} from './expressions.ts';

/** An update that was read. */
export interface Update {
  /** Makes the item after it of the one before. Every value is read from the item before, as DynamoDB does. */
  readonly apply: (before: Item, bindings: Bindings) => Item;
  /** Names of the attributes that it changes. */
  readonly targets: (bindings: Bindings) => readonly string[];
  /** It only takes away. On an item that is absent it then changes nothing, where any other update would make the item. */
  readonly onlyRemoves: boolean;
  readonly placeholders: ReadonlySet<string>;
}

interface Change {
  readonly section: string;
  readonly name: NameReader;
  readonly change: (draft: Record<string, unknown>, name: string, before: Item, bindings: Bindings) => void;
}

/** Reads an update, once per text: SET with `+`, `-` and `if_not_exists`, REMOVE, and ADD of numbers. All else throws. */
export const compileUpdate = once((text): Update => {
  const reader = new ExpressionReader(text);
  const changes: Change[] = [];
  while (!reader.isAtEnd) changes.push(...readSection(reader, changes));
  const targets = (bindings: Bindings): readonly string[] => changes.map(({ name }) => name(bindings));
  return {
    targets,
    onlyRemoves: changes.every(({ section }) => section === 'REMOVE'),
    placeholders: reader.placeholders,
    apply: (before, bindings) => {
      const draft: Record<string, unknown> = { ...before };
      const changed = new Set<string>();
      for (const { name, change } of changes) {
        const target = name(bindings);
        if (changed.has(target)) throw overlap(target);
        changed.add(target);
        change(draft, target, before, bindings);
      }
      return draft;
    },
  };
});

function readSection(reader: ExpressionReader, earlier: readonly Change[]): readonly Change[] {
  const section = reader.next().toUpperCase();
  if (earlier.some((change) => change.section === section)) {
    throw validationException(`The "${section}" section can only be used once in an update expression;`);
  }
  const read = sections[section];
  if (read === undefined) throw reader.unknown();
  const changes: Change[] = [];
  do {
    const name = reader.name();
    changes.push({ section, name, change: read(reader) });
  } while (reader.take(','));
  return changes;
}

/** How what stands after the name of an attribute is read. */
const sections: Readonly<Record<string, (reader: ExpressionReader) => Change['change']>> = {
  SET: (reader) => {
    reader.expect('=');
    const value = readSum(reader);
    return (draft, name, before, bindings) => {
      draft[name] = value(before, bindings);
    };
  },
  REMOVE: () => (draft, name) => {
    delete draft[name];
  },
  ADD: (reader) => {
    const value = reader.value();
    return (draft, name, before, bindings) => {
      const added = value.read(before, bindings);
      if (typeof added !== 'number') throw incorrectOperand('ADD', added);
      const there = attributeOf(before, name);
      draft[name] = there === undefined ? added : sum(there, added, 1);
    };
  },
};

function readSum(reader: ExpressionReader): Operand['read'] {
  const left = readSetOperand(reader);
  const sign = reader.take('+') ? 1 : reader.take('-') ? -1 : 0;
  if (sign === 0) return left;
  const right = readSetOperand(reader);
  return (item, bindings) => sum(left(item, bindings), right(item, bindings), sign);
}

function readSetOperand(reader: ExpressionReader): Operand['read'] {
  if (reader.take('if_not_exists')) {
    reader.expect('(');
    const name = reader.name();
    reader.expect(',');
    const otherwise = readSetOperand(reader);
    reader.expect(')');
    return (item, bindings) => {
      const value = attributeOf(item, name(bindings));
      return value === undefined ? otherwise(item, bindings) : value;
    };
  }
  const operand = reader.operand();
  return (item, bindings) => {
    const value = operand.read(item, bindings);
    if (value !== undefined) return value;
    throw validationException('The provided expression refers to an attribute that does not exist in the item');
  };
}

function sum(left: unknown, right: unknown, sign: 1 | -1): number {
  if (typeof left !== 'number' || typeof right !== 'number') {
    throw validationException(
      `An operand in the update expression has an incorrect data type: ${typeOf(left)} and ${typeOf(right)}`,
    );
  }
  const result = left + sign * right;
  // DynamoDB computes with 38 decimal digits. Only with whole numbers is the result surely the same here.
  if (![left, right, result].every(Number.isSafeInteger)) throw new Error('the fake computes with whole numbers only');
  return result;
}

function overlap(name: string): Error {
  return validationException(
    `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [${name}], path two: [${name}]`,
  );
}
