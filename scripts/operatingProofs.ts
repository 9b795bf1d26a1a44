import { file, TESTS, type Proof } from './proof.ts';

/** The proofs of what operators do. */
export const operatingProofs: readonly Proof[] = [
  {
    name: 'suspension',
    what: 'A tenant that is suspended has no socket and no answer, loses nothing that is due or comes meanwhile, and takes all of it up again; a neighbour goes on.',
    daily: 'the same on emulators, with a death at each call: `test/functions/routes/tenantStanding.test.ts`',
    place: 'beside',
    whole: file('test/e2e/suspension.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'ops',
    what: 'Every command of `npm run ops` does what it says to the embedded stack.',
    daily: 'how each line is read and refused: `test/ops`',
    place: 'beside',
    whole: file('test/ops/embedded.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
];
