import { file, TESTS, type Proof } from './proof.ts';

/** The proofs about what tenants may have and do. */
export const limitProofs: readonly Proof[] = [
  {
    name: 'rates',
    what: 'Fifty callers in five processes are let through at the rate of their tenant, within 5 %, with few writes.',
    daily: 'the same with a clock of its own: `test/shared/quota/rateLimiter.test.ts`',
    place: 'alone',
    whole: file('test/shared/quota/callers.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
];
