import { file, TESTS, type Proof } from './proof.ts';

/** The proofs about tenants. */
export const tenantProofs: readonly Proof[] = [
  {
    name: 'suspension',
    what: 'A tenant that is suspended has no socket and no answer, loses nothing that is due or comes meanwhile, and takes all of it up again; a neighbour goes on.',
    daily: 'the same on emulators, with a death at each call: `test/functions/routes/tenantStanding.test.ts`',
    place: 'beside',
    whole: file('test/e2e/suspension.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
];
