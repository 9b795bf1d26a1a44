import { describe, expect, it } from 'vitest';
import { LabelBook } from '../../../../worker/socket/appState/labelBook.ts';
import type { Mutation } from '../../../../worker/socket/appState/readPatches.ts';
import { AT, heardAs } from './writtenChanges.ts';

const BOB = '4915100000002@s.whatsapp.net';
const read = (index: readonly string[], value: Mutation['value'], more: Partial<Mutation> = {}): Mutation => ({
  ...heardAs({ index, value: { timestamp: AT, ...value }, formVersion: 3 }),
  ...more,
});
const edit = (id: string, action: object, at = AT) =>
  read(['label_edit', id], { labelEditAction: action, timestamp: at });
const bookOf = (mutations: readonly Mutation[], about?: string): LabelBook => {
  const book = new LabelBook(AT, about);
  mutations.forEach(book.note);
  return book;
};
const labelsOf = (mutations: readonly Mutation[]) =>
  bookOf(mutations)
    .labels()
    .map(({ label }) => label);

describe('the labels of an account, as they are read', () => {
  it('are those that have a name and are not deleted, by their numbers', () => {
    expect(
      labelsOf([
        edit('10', { name: 'Ten', color: 1 }),
        edit('9', { name: 'Nine' }),
        edit('2', { name: 'Gone', deleted: true }),
        edit('3', {}),
        read(['label_edit', '4'], { labelEditAction: { name: 'Removed' } }, { operation: 'remove' }),
      ]),
    ).toEqual([
      { id: '9', name: 'Nine' },
      { id: '10', name: 'Ten', color: 1 },
    ]);
  });

  it('count as their newest, in whichever order the records of two keys are read', () => {
    const [older, newer] = [edit('1', { name: 'Older' }, AT - 1), edit('1', { name: 'Newer' }, AT)];

    expect([labelsOf([older, newer]), labelsOf([newer, older])]).toEqual([
      [{ id: '1', name: 'Newer' }],
      [{ id: '1', name: 'Newer' }],
    ]);
  });

  it('get a number that none has or had', () => {
    expect(bookOf([]).newId()).toBe('1');
    expect(bookOf([edit('2', { name: 'Two' }), edit('7', { name: 'Gone', deleted: true })]).newId()).toBe('8');
    expect(bookOf([edit('9007199254740991', { name: 'Far' }), edit('x', { name: 'X' })]).newId()).toBe('1');
  });

  it('are on the chats and messages of which the last word says so', () => {
    const on = (index: readonly string[], labeled: boolean, at = AT) =>
      read(index, { labelAssociationAction: { labeled }, timestamp: at });

    const book = bookOf(
      [
        on(['label_jid', '7', BOB], true),
        on(['label_jid', '7', '222@lid'], true, AT - 2),
        on(['label_jid', '7', '222@lid'], false, AT - 1),
        on(['label_jid', '8', '333@lid'], true),
        on(['label_message', '7', BOB, 'ONE', '0', '0'], true),
        on(['label_message', '7', 'nobody', 'ONE', '0', '0'], true),
        on(['constructor', '7', BOB], true),
      ],
      '7',
    );

    expect(book.labelled()).toEqual([{ chat: BOB }, { chat: BOB, stanzaId: 'ONE' }]);
  });

  it('are bounded, whatever a device has written: 10,000 of them, endless names, colours that there are not', () => {
    const many = Array.from({ length: 10_000 }, (_, at) =>
      edit(String(at + 1), { name: 'x'.repeat(5_000), color: at - 5_000 }),
    );

    const labels = labelsOf([edit('__proto__', { name: 'odd' }), ...many, edit('no id', { name: 'x' })]);

    expect(labels).toHaveLength(1_000);
    expect(Math.max(...labels.map(({ name }) => name.length))).toBe(128);
    expect(labels.every(({ color }) => color === undefined)).toBe(true);
  });
});
