import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LONGEST_WAIT_SECONDS } from '../../../functions/http/prefer.ts';
import {
  ACTION_RESULT_BYTES,
  BEGIN_WITH_FILE_MS,
  BEGIN_WITHIN_MS,
  LONGEST_PARKED_MS,
  MOST_OPEN_ACTIONS,
} from '../../../shared/action/action.ts';
import { actionErrors } from '../../../shared/action/actionError.ts';
import { actionRows } from '../../../shared/action/actionKinds.ts';
import { LONGEST_ACTION_MS } from '../../../shared/action/actionRow.ts';
import { pausesWithin } from '../../../shared/action/awaitEnd.ts';
import { retentionSeconds } from '../../../shared/platform/expiry.ts';
import { MOST_LIMITED, MOST_UNANSWERED } from '../../../worker/actions/judgeAction.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/actions.md'), 'utf8');
const text = page.replaceAll(/\s+/g, ' ');
const numberWords = ['no', 'one', 'two', 'three', 'four', 'five'];

describe('docs/actions.md', () => {
  it('names each code with which an action can end', () => {
    const codes = page
      .split('\n')
      .filter((line) => /^\| `.*\| `(?:failed|expired)` /.test(line))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, code]) => code));

    expect(new Set(codes)).toEqual(new Set(Object.keys(actionErrors)));
    expect(codes).toHaveLength(Object.keys(actionErrors).length);
  });

  it('shows the paths of rows', () => {
    const shown = [...page.matchAll(/`POST \/v1\/connections\/\{id\}\/([^`]+)`/g)].map(([, path]) => path);

    expect(shown.length).toBeGreaterThan(0);
    for (const path of shown) expect(actionRows.map((row) => row.path)).toContain(path);
  });

  it.each([
    ['the longest wait', `0 to ${LONGEST_WAIT_SECONDS}`],
    ['how long one may be parked', `at most ${LONGEST_PARKED_MS / 86_400_000} days`],
    ['how many may be open', `more than ${MOST_OPEN_ACTIONS} that are not over`],
    ['how soon one with a file is begun', `one with a file within ${numberWords[BEGIN_WITH_FILE_MS / 60_000]}`],
    ['how soon one is begun', `within ${numberWords[BEGIN_WITHIN_MS / 60_000]} minutes or never`],
    ['how long it is kept', `for ${retentionSeconds.action / 86_400} days after its end`],
    ['how large a result may be', `larger than ${ACTION_RESULT_BYTES / 1_024} KB`],
    ['how often it is tried without an answer', `did not answer ${numberWords[MOST_UNANSWERED]} tries`],
    ['how often it is tried under a limit', `then again, ${MOST_LIMITED} times`],
    ['when one that nobody ended is over', `${(2 * LONGEST_ACTION_MS) / 1_000} seconds after \`expires_at\``],
    [
      'how often the row is read',
      `${pausesWithin(10_000).length} reads for 10 s, ${pausesWithin(25_000).length} for 25 s`,
    ],
  ])('says %s as it is', (_what, said) => {
    expect(text).toContain(said);
  });
});
