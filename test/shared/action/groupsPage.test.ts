import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actionRows } from '../../../shared/action/actionKinds.ts';
import type { ActionRow } from '../../../shared/action/actionRow.ts';
import {
  DESCRIPTION_CHARACTERS,
  groupSettingNames,
  MOST_PEOPLE,
  personOutcome,
  SUBJECT_CHARACTERS,
} from '../../../shared/action/groupFields.ts';
import { MOST_PARTICIPANTS } from '../../../shared/event/facts/groupParticipantsFact.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/groups.md'), 'utf8');
const text = page.replaceAll(/\s+/g, ' ');
const rows = actionRows as readonly unknown[] as readonly ActionRow[];
const isOfGroups = ({ kind }: Pick<ActionRow, 'kind'>): boolean => /^(?:group|community)_(?!picture)/.test(kind);
const firstCells = (head: string): readonly string[] => {
  const table = page.slice(page.indexOf(`| ${head}`)).split('\n\n')[0] ?? '';
  return [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name = '']) => name);
};

describe('docs/groups.md', () => {
  it('shows routes that there are, with what happens if they are asked for twice', () => {
    const shown = [...page.matchAll(/^\| `(GET|POST) …\/([^`]+)` .*\| `(once|repeatable)`/gm)];

    expect(shown.length).toBeGreaterThan(12);
    for (const [, method, path, effect] of shown) {
      expect(rows.filter((row) => row.method === method && row.path === path && row.effect === effect)).toHaveLength(1);
    }
  });

  it('leaves no action about groups out: each has a row, or its last word stands in one', () => {
    const missing = rows.filter(isOfGroups).filter(({ path }) => {
      const last = path.split('/').at(-1) ?? '';
      return !page.includes(`…/${path}\``) && !page.includes(`\`${last}\``);
    });

    expect(missing.map(({ kind }) => kind)).toEqual([]);
    expect(rows.filter(isOfGroups).length).toBeGreaterThan(20);
  });

  it('names each setting and each outcome', () => {
    expect(firstCells('setting')).toEqual(groupSettingNames);
    expect(firstCells('outcome')).toEqual(personOutcome.shape.outcome.options);
  });

  it.each([
    ['how many people one request names', `People are named ${MOST_PEOPLE} at a time`],
    ['how long a subject is', `A subject has ${SUBJECT_CHARACTERS} characters or fewer`],
    ['how long a description is', `a description ${DESCRIPTION_CHARACTERS.toLocaleString('en')}`],
    ['how many one event names', `more than ${MOST_PARTICIPANTS} people becomes several events`],
  ])('says %s', (_what, said) => {
    expect(text).toContain(said);
  });
});

describe('what a caller writes about groups', () => {
  const schemaOf = (kind: string) => rows.find((row) => row.kind === kind)?.request;
  const group = '120363042537841234@g.us';
  const people = (count: number) => Array.from({ length: count }, (_, index) => `+4915100${100_000 + index}`);

  it.each([
    ['a subject of 128 emoji', 'group_subject_set', { group, subject: '👩'.repeat(128) }, true],
    ['a subject of 10,000 emoji', 'group_subject_set', { group, subject: '👩'.repeat(10_000) }, false],
    ['no subject', 'group_subject_set', { group, subject: '' }, false],
    ['no description, which removes it', 'group_description_set', { group, description: '' }, true],
    ['50 people', 'group_participants_add', { group, participants: people(50) }, true],
    ['2,000 people', 'group_participants_add', { group, participants: people(2_000) }, false],
    ['nobody', 'group_participants_add', { group, participants: [] }, false],
    ['a group among people', 'group_participants_add', { group, participants: [group] }, false],
    ['a person as a group', 'group_find', { group: '+4915100000001' }, false],
    ['a channel as a group', 'group_find', { group: '120363042537841234@newsletter' }, false],
    ['no setting', 'group_settings_set', { group, settings: {} }, false],
    ['two settings', 'group_settings_set', { group, settings: { locked: true, announcement: true } }, false],
    ['a time that phones do not offer', 'group_settings_set', { group, settings: { disappearing_seconds: 60 } }, false],
    ['a link', 'group_invite_join', { invite_link: 'https://chat.whatsapp.com/AbCdEfGhIjKl' }, true],
    [
      'a link with a query',
      'group_invite_join',
      { invite_link: 'https://chat.whatsapp.com/AbCdEfGhIjKl?mode=x' },
      true,
    ],
    ['a code', 'group_invite_join', { invite_link: 'AbCdEfGhIjKl' }, true],
    ['a link to elsewhere', 'group_invite_join', { invite_link: 'https://example.com/AbCdEfGhIjKl' }, false],
  ])('%s: is taken or refused', (_what, kind, request, isTaken) => {
    expect(schemaOf(kind)?.safeParse(request).success).toBe(isTaken);
  });
});
