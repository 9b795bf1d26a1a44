import { file, TESTS, type Proof } from './proof.ts';

/** The proofs of what operators do. */
export const operatingProofs: readonly Proof[] = [
  {
    name: 'large-tenant',
    what: 'A tenant has 5,000 events a second within the limits of a partition, and its log grows under load; none is lost.',
    daily: 'the same for a second: `test/shared/event/largeTenant.test.ts`',
    place: 'beside',
    whole: file('test/shared/event/largeTenant.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'rates',
    what: 'Fifty callers in five processes are let through at the rate of their tenant, within 5 %, with few writes.',
    daily: 'the same with a clock of its own: `test/shared/quota/rateLimiter.test.ts`',
    place: 'alone',
    whole: file('test/shared/quota/callers.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
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
    name: 'tenant-deletion',
    what: 'A tenant with fifty connections that is deleted under traffic has no socket, device, row, file or log line with its words any more; a neighbour loses and doubles nothing.',
    daily: 'the same on emulators, with deaths at some calls: `test/functions/archive/deletions.test.ts`',
    place: 'beside',
    whole: file('test/e2e/tenantDeletion.prove.ts'),
    sample: 'none',
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
