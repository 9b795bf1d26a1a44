import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dynamoDbDifferences, dynamoDbLocalDifferences } from './dynamoDbContract.ts';
import { sqsDifferences } from './sqsContract.ts';

it('the README names every known difference of the emulators, and no other', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');

  const named = [...readme.matchAll(/^\| (?!Case|-)(.+?) +\| (.+?) +\|$/gm)].map(([, name, reason]) => [name, reason]);

  expect(named).toEqual(
    [...dynamoDbDifferences, ...dynamoDbLocalDifferences, ...sqsDifferences].map((known) => [known.case, known.reason]),
  );
});
