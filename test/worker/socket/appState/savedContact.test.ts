import { describe, expect, it } from 'vitest';
import { savedContact } from '../../../../worker/socket/appState/kinds/savedContact.ts';
import type { HeardChange } from '../../../../worker/socket/appState/kinds/stateKind.ts';

const PN = '4915100000002@s.whatsapp.net';
const LID = '222@lid';
const heard = (overrides: Partial<HeardChange>): HeardChange => ({
  isRemoved: false,
  about: [PN],
  value: {},
  key: 'app_state:1',
  atMs: 7,
  ...overrides,
});

describe('an entry of the address book', () => {
  it.each<[string, Partial<HeardChange>, object | undefined]>([
    [
      'names a person, with both addresses where it has them',
      { value: { contactAction: { fullName: 'Ada Lovelace', firstName: 'Ada', lidJid: LID } } },
      { kind: 'contact_change', contact: PN, contactAlias: LID, saved: 'Ada Lovelace' },
    ],
    [
      'is one by LID, too',
      { about: [LID], value: { contactAction: { fullName: 'Ada', pnJid: PN } } },
      { contact: LID, contactAlias: PN, saved: 'Ada' },
    ],
    ['may have a first name alone', { value: { contactAction: { firstName: 'Ada' } } }, { contact: PN, saved: 'Ada' }],
    ['takes the name away when it goes', { isRemoved: true }, { contact: PN, saved: '' }],
    ['tells nothing without a name', { value: { contactAction: {} } }, undefined],
    ['tells nothing of a group', { about: ['1@g.us'], value: { contactAction: { fullName: 'x' } } }, undefined],
    ['tells nothing of what is no address', { about: [], value: { contactAction: { fullName: 'x' } } }, undefined],
  ])('%s', (_what, change, fact) => {
    const told = savedContact.toFact(heard(change));

    expect(told ?? {}).toMatchObject(fact ?? {});
    expect(told === undefined).toBe(fact === undefined);
  });
});
