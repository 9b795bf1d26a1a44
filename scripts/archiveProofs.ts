import { file, TESTS, type Proof } from './proof.ts';

/** The proofs of exports and of erasures of people. */
export const archiveProofs: readonly Proof[] = [
  {
    name: 'export',
    what: 'An export of 50,000 messages comes back identical; a process that dies at any call of an export, its removal or an erasure leaves it whole.',
    daily: 'a conversation, with deaths at some calls: `test/functions/archive`',
    place: 'beside',
    whole: file('test/functions/archive/export.prove.ts', 'test/functions/archive/archiveDeaths.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'forgotten',
    what: 'An export has what a history brought; nothing of a person who was erased, and no history, chat or person of a deleted connection, is in any row.',
    daily: 'the same on emulators, with deaths: `test/functions/archive`, `test/functions/dispatch`',
    place: 'beside',
    whole: file('test/e2e/forgotten.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
];
