import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../infra/settings/settings.ts';
import { readCommandLine } from '../../ops/commandLine.ts';

const root = join(import.meta.dirname, '../..');
const pages = ['infra/runbook.md', 'infra/operations.md', 'docs/deploy.md', 'docs/operating.md'] as const;

/**
 * What each command of AWS that our pages name cannot do without, as `aws … help` has it; groups of which one is enough
 * are joined with a bar.
 */
const needed: Readonly<Record<string, readonly string[]>> = {
  'backup list-backup-jobs': [],
  'backup list-copy-jobs': [],
  'backup list-recovery-points-by-backup-vault': ['backup-vault-name'],
  'backup start-backup-job': ['backup-vault-name', 'resource-arn', 'iam-role-arn'],
  'cloudformation update-termination-protection': [
    'stack-name',
    'enable-termination-protection|no-enable-termination-protection',
  ],
  'dynamodb create-backup': ['table-name', 'backup-name'],
  'dynamodb delete-table': ['table-name'],
  'dynamodb restore-table-from-backup': ['target-table-name', 'backup-arn'],
  'dynamodb restore-table-to-point-in-time': [
    'target-table-name',
    'source-table-name|source-table-arn',
    'restore-date-time|use-latest-restorable-time',
  ],
  'dynamodb update-table': ['table-name', 'no-deletion-protection-enabled|deletion-protection-enabled'],
  'ecs update-service': ['service', 'cluster'],
  'iam create-service-linked-role': ['aws-service-name'],
  'kms replicate-key': ['key-id', 'replica-region'],
  // With files in it a bucket is removed by force alone.
  's3 rb': ['force'],
  'ssm put-parameter': ['name', 'value', 'type'],
};
/** Commands that a sentence names without giving them whole. */
const NAMED_ONLY = new Set(['backup start-restore-job', 'sso login']);

/** Each command of a page, in code spans and in blocks, on one line. */
function commandsOf(page: string, program: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^ *```sh\n([^]*?)^ *```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const spans = [...text.replaceAll(/^ *```[^]*?^ *```/gm, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return [...blocks, ...spans]
    .map((line) => line.replaceAll(/\s+/g, ' ').replace(/ #.*$/, '').trim())
    .filter((line) => line.startsWith(`${program} `) && !line.includes('…'));
}

const all = (program: string) =>
  pages.flatMap((page) => commandsOf(page, program).map((command) => [page, command] as const));

describe('the commands in our pages', () => {
  it.each(all('aws'))('%s has all that %s needs', (_, command) => {
    const words = command.split(' ');
    const name = words.slice(1, 3).join(' ');
    const given = new Set(words.filter((word) => word.startsWith('--')).map((word) => word.slice(2)));

    const missing = NAMED_ONLY.has(name)
      ? []
      : needed[name]?.filter((options) => !options.split('|').some((option) => given.has(option)));

    expect(missing, `${name} is not known to this test`).toEqual([]);
  });

  it.each(all('npm run ops --'))('%s gives %s in a form that it takes', (_, command) => {
    const words = command
      .slice('npm run ops -- '.length)
      .replaceAll(/[[\]]/g, '')
      .replaceAll(/\|.*$/g, '')
      .replace(/ > .*$/, '')
      .trim()
      .split(' ');
    if (words[0] === 'COMMAND') return;

    expect(() => readCommandLine(words.filter((word) => word !== '|'))).not.toThrow();
  });

  it.each(all('npx cdk'))('%s gives %s settings that there are', (_, command) => {
    const given = [...command.matchAll(/ -c (\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const);
    const known = (name: string, value: string): boolean => {
      try {
        settingsOf({ [name]: value });
        return true;
      } catch (error) {
        return !(error as Error).message.includes('there is no such setting');
      }
    };

    expect(given.filter(([name, value]) => !known(name, value))).toEqual([]);
  });

  it('are found at all', () => {
    expect(all('aws').length).toBeGreaterThan(10);
    expect(all('npm run ops --').length).toBeGreaterThan(10);
    expect(all('npx cdk').length).toBeGreaterThan(5);
  });
});
