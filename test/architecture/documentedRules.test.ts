import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ladderNames, ladders } from '../../functions/watchdog/ladders.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { controlKinds } from '../../shared/message/command.ts';
import { sendStates } from '../../shared/message/message.ts';
import { breakerRules } from '../../shared/platform/breakers.ts';
import { adminConfig } from '../../shared/platform/config.ts';
import { connectionSettings } from '../../shared/platform/connectionConfig.ts';
import { retentionSeconds } from '../../shared/platform/expiry.ts';
import { livenessSettings } from '../../shared/platform/livenessConfig.ts';
import { ownershipSettings } from '../../shared/platform/ownershipConfig.ts';
import { vitalsSettings } from '../../shared/platform/vitalsConfig.ts';
import { digestSettings, watchdogSettings } from '../../shared/platform/watchdogConfig.ts';
import { endpointBreakerRule } from '../../shared/webhook/endpointBreaker.ts';
import { closeRules, toCloseCause } from '../../worker/runner/closeRules.ts';
import { sendRule } from '../../worker/sending/sendPause.ts';
import { readTexts } from './citations.ts';
import { codesIn, quantityOf, tablesOf, type DocumentTable } from './documentTables.ts';

/** What the documents say in tables is what the code does. */
const root = resolve(import.meta.dirname, '../..');
const PAGES = ['docs/protocol.md', 'docs/lifecycle.md', 'docs/sessions.md', 'docs/eventlog.md'] as const;
const pageOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const tables = PAGES.flatMap((path) => tablesOf(pageOf(path)).map((table) => ({ path, ...table })));
const product = [...readTexts(root)].filter(([path]) => /^(?:shared|worker|functions)\/.*\.ts$/.test(path));

const stores = adminConfig({ HOLDFAST_STAGE: 'test', HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1/' });
/** Defaults of what a process can be configured with, by the name of the variable. */
const defaults: Readonly<Record<string, unknown>> = {
  ...z
    .object({
      ...ownershipSettings,
      ...connectionSettings,
      ...livenessSettings,
      ...vitalsSettings,
      ...digestSettings,
      ...watchdogSettings,
    })
    .parse({}),
  HOLDFAST_SHARD_CAP: stores.shardCap,
  HOLDFAST_STORE_TIMEOUT_MS: stores.storeTimeoutMs,
};

/** Value of a constant in a source: a number, or a product of numbers and of constants of the same source. */
function constantIn(source: string, name: string): number | undefined {
  const expression = new RegExp(`^(?:export )?const ${name} = ([\\w\\s*.]+);$`, 'm').exec(source)?.[1];
  if (expression === undefined) return undefined;
  const factors = expression.split('*').map((factor) => {
    const text = factor.trim();
    return /^\d/.test(text) ? Number(text.replaceAll('_', '')) : (constantIn(source, text) ?? Number.NaN);
  });
  return factors.reduce((left, right) => left * right, 1);
}

/** What the code says of a quantity, in the unit of {@link quantityOf}. @param where the cell that says where it stands */
function inCode(where: string): number {
  const [name = '', file] = codesIn(where);
  const [group, member] = name.split('.');
  if (group === 'deadlines') return deadlines[member as keyof typeof deadlines].ms;
  if (group === 'retentionSeconds') return retentionSeconds[member as keyof typeof retentionSeconds] * 1_000;
  if (name in defaults) {
    const value = Number(defaults[name]);
    return name.endsWith('_SECONDS') ? value * 1_000 : value;
  }
  const found = product
    .filter(([path]) => file === undefined || path === file)
    .flatMap(([, source]) => constantIn(source, name) ?? []);
  if (new Set(found).size !== 1) throw new Error(`${name} is not one constant of the product: ${found.join()}`);
  const [value = Number.NaN] = found;
  if (name.endsWith('_DAYS')) return value * 86_400_000;
  return name.endsWith('_SECONDS') ? value * 1_000 : value;
}

const numbers = tables
  .filter(({ columns }) => columns.includes('value') && columns.includes('where'))
  .flatMap(({ path, rows }) =>
    rows.map(({ where = '', value = '' }) => ({ path, where, name: codesIn(where)[0] ?? where, value })),
  );

function tableWith(note: string): DocumentTable {
  const found = tables.find((table) => table.note.startsWith(note));
  if (found === undefined) throw new Error(`no page has the table "${note}"`);
  return found;
}

describe('numbers in the documents', () => {
  it('are many', () => {
    expect(numbers.length).toBeGreaterThan(60);
  });

  it.each(numbers)('$path: $name is $value', ({ where, value }) => {
    expect(inCode(where)).toBe(quantityOf(value));
  });
});

describe('conditions of writes in the documents', () => {
  const conditions = tables
    .filter(({ columns }) => columns.some((column) => column.startsWith('condition')))
    .flatMap(({ path, columns, rows }) => {
      const column = columns.find((name) => name.startsWith('condition')) ?? '';
      return rows.flatMap((row) =>
        codesIn(row[column] ?? '').map((condition) => ({ path, condition, file: codesIn(row['where'] ?? '')[0] })),
      );
    });

  it('are many', () => {
    expect(conditions.length).toBeGreaterThan(10);
  });

  it.each(conditions)('$path: $condition', ({ condition, file }) => {
    const parts = condition.split(/ (?:AND|OR) /).map((part) => part.replace(/^AND /, ''));
    const sources = product
      .filter(([path]) => file === undefined || path === file)
      .map(([, source]) => source.replaceAll('#', ''));

    expect(sources.some((source) => parts.every((part) => source.includes(part)))).toBe(true);
  });
});

describe('tables in docs/lifecycle.md', () => {
  const rules = tableWith('close rules').rows.map((row) => ({ ...row, causes: codesIn(row['cause'] ?? '') }));

  it('have each cause of a close once', () => {
    expect(rules.flatMap(({ causes }) => causes).toSorted()).toEqual(Object.keys(closeRules).toSorted());
  });

  it.each(rules.flatMap((row) => row.causes.map((cause) => ({ ...row, cause }))))(
    'say what follows from $cause',
    (row: Readonly<Record<string, unknown>>) => {
      const said = (column: string): string => codesIn(String(row[column]))[0] ?? String(row[column]);
      const { retry, firstDelayMs, credentials, status } = closeRules[row['cause'] as keyof typeof closeRules];

      expect([said('retry'), quantityOf(said('first delay')), said('credentials'), said('status')]).toEqual([
        retry,
        firstDelayMs,
        credentials,
        status,
      ]);
    },
  );

  it('say which cause a number of WhatsApp is, of an account that is linked', () => {
    const said = rules.flatMap(({ causes: [cause], ...row }) =>
      [...String((row as Readonly<Record<string, unknown>>)['WhatsApp says']).matchAll(/\d{3}(?!, again)/g)].map(
        ([number]) => [Number(number), cause] as const,
      ),
    );

    expect(said.length).toBeGreaterThan(10);
    for (const [statusCode, cause] of said) {
      expect([statusCode, toCloseCause({ statusCode, node: undefined }, 'linked')]).toEqual([statusCode, cause]);
    }
  });

  it('say how far the watchdog goes', () => {
    const said = tableWith('ladders').rows.map((row) => {
      const [name] = codesIn(row['ladder'] ?? '');
      const rungs = (row['rungs, with the last attempt of each'] ?? '').split(', ').map((rung) => {
        const upTo = / to (\d+)$/.exec(rung)?.[1];
        return [upTo === undefined ? Infinity : Number(upTo), codesIn(rung)[0]];
      });
      return [name, rungs];
    });

    expect(said).toEqual(ladderNames.map((name) => [name, ladders[name]]));
  });

  it('say when circuit breakers open and close', () => {
    const seconds = (ms: number): string => `${ms / 1_000} s`;
    const { dynamodb, sqs, s3, kms } = breakerRules;
    const lookUps = readFileSync(join(root, 'worker/sending/lookUpPauses.ts'), 'utf8');
    const [firstMs, capMs] = ['firstMs', 'capMs'].map((name) =>
      Number(new RegExp(`${name}: ([\\d_]+)`).exec(lookUps)?.[1]?.replaceAll('_', '')),
    );
    const said = tables
      .find(({ heading }) => heading === 'Circuit breakers')
      ?.rows.map((row) => [row['what'], row['opens after'], row['for'], row['closes after']]);

    for (const { failures, openMs, successes } of [sqs, s3]) {
      expect([failures, openMs, successes]).toEqual([dynamodb.failures, dynamodb.openMs, dynamodb.successes]);
    }
    expect(said).toEqual([
      [
        'DynamoDB, SQS, S3',
        `${dynamodb.failures} failures in a row`,
        seconds(dynamodb.openMs),
        `${dynamodb.successes} successes`,
      ],
      ['KMS', `${kms.failures} failures in a row`, seconds(kms.openMs), `${kms.successes} successes`],
      [
        "a connection's sends",
        `${sendRule.failures} without an answer`,
        `${seconds(sendRule.openMs)}, or until the next login`,
        `${sendRule.successes} successes`,
      ],
      ['a look-up', 'the first', `${seconds(firstMs ?? 0)}, doubled, ${seconds(capMs ?? 0)} at most`, '1 success'],
      [
        'a webhook',
        `${endpointBreakerRule.failures} failures in a row`,
        `${seconds(endpointBreakerRule.firstOpenMs)}, doubled, ${seconds(endpointBreakerRule.longestOpenMs)} at most`,
        '1 success',
      ],
    ]);
  });
});

describe('words in the documents', () => {
  const protocol = pageOf('docs/protocol.md');
  const paragraphOf = (beginning: string): string =>
    protocol.split('\n\n').find((paragraph) => paragraph.startsWith(beginning)) ?? '';

  it('name the states of a message in their order', () => {
    const named = codesIn(paragraphOf('States: ')).filter((word) => word in sendStates);

    expect([...new Set(named)]).toEqual(Object.keys(sendStates));
  });

  it('name the kinds of control commands', () => {
    const named = codesIn(paragraphOf('Each connection has five FIFO groups')).filter((word) => /^[a-z]+$/.test(word));

    expect(named).toEqual([...controlKinds]);
  });

  it('name each promise that a comment refers to', () => {
    const promises = [...pageOf('docs/design.md').matchAll(/^\| \*\*([a-z-]+)\*\*/gm)].map(([, name]) => name);
    const named = [...readTexts(root)]
      .filter(([path]) => path.endsWith('.ts'))
      .flatMap(([, text]) => [...text.matchAll(/promises? \*([a-z-]+)\*/g)].map(([, name]) => name));

    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !promises.includes(name))).toEqual([]);
  });
});
