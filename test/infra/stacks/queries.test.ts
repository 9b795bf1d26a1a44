import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { savedQueries } from '../../../infra/stacks/queries.ts';
import { ofType, synthesizeStage } from '../synthesizeStage.ts';

const root = join(import.meta.dirname, '../../..');
const sources = ['functions', 'shared', 'worker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);
const resources = synthesizeStage({});

describe('saved queries', () => {
  it('are each in the stage, under its name', () => {
    const names = ofType(resources, 'AWS::Logs::QueryDefinition').map(({ properties }) => properties['Name']);

    expect(names.length).toBeGreaterThan(10);
    expect(names).toEqual(savedQueries.map(({ name }) => `test/${name}`));
  });

  it('ask only log groups that the stage has', () => {
    const groups = new Set(
      ofType(resources, 'AWS::Logs::LogGroup').map(({ properties }) => properties['LogGroupName']),
    );

    const asked = ofType(resources, 'AWS::Logs::QueryDefinition').flatMap(
      ({ properties }) => properties['LogGroupNames'] as readonly string[],
    );

    expect(asked.filter((group) => !groups.has(group))).toEqual([]);
  });

  it('look only for lines that our code writes', () => {
    const texts = savedQueries
      .flatMap(({ lines }) => lines)
      .flatMap((line) => [...line.matchAll(/(?:message|error\.name|input|outcome) = "([^"]+)"/g)])
      .map(([, text]) => text ?? '');

    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter((text) => !sources.some((source) => source.includes(`'${text}'`)))).toEqual([]);
  });

  it('ask only for fields that may stand in a line', () => {
    const logger = readFileSync(join(root, 'shared/platform/logger.ts'), 'utf8');
    const known = new Set([...logger.matchAll(/^ {2}'(\w+)',$/gm)].map(([, name]) => name));
    const calculated = /\b(?:as|by) |[a-z_]+\(|@\w+|"[^"]*"|\b\d+\w*\b/g;
    const words = savedQueries.flatMap(({ lines }) => {
      const made = new Set(lines.flatMap((line) => [...line.matchAll(/ as (\w+)/g)].map(([, name]) => name)));
      return lines
        .filter((line) => !line.startsWith('limit'))
        .flatMap((line) =>
          line
            .replace(/^(filter|stats|fields|sort) /, '')
            .replace(/\b(and|or|asc|desc)\b/g, '')
            .replace(calculated, ' ')
            .split(/[^\w.]+/),
        )
        .map((word) => word.split('.')[0] ?? '')
        .filter((word) => word !== '' && !made.has(word));
    });

    expect(words.length).toBeGreaterThan(50);
    expect(words.filter((word) => !known.has(word) && word !== 'message' && word !== 'level')).toEqual([]);
  });
});
