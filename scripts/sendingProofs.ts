import { file, TESTS, type Proof } from './proof.ts';

/** The proofs of what is sent to many, or later. */
export const sendingProofs: readonly Proof[] = [
  {
    name: 'bulk-send',
    what: 'Of 10,000 messages in one request each is shown once and in the order of its chat, while workers and functions are killed.',
    daily: 'two runs at once, and late ones: `test/functions/dispatch/bulkSends.test.ts`',
    place: 'beside',
    whole: file('test/e2e/bulkSend.prove.ts'),
    sample: file('test/e2e/bulkSendOnce.prove.ts'),
    cases: TESTS,
  },
  {
    name: 'bulk-send-deaths',
    what: 'A process dies before and after each call of accepting, sending and cancelling a bulk send: each line is sent once, and its end is told once.',
    daily: 'two runs at once, and late ones: `test/functions/dispatch/bulkSends.test.ts`',
    place: 'beside',
    whole: file('test/functions/dispatch/bulkSendDeaths.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'scheduled',
    what: 'Messages with times leave at them, and not earlier nor twice, while workers and functions are killed.',
    daily: 'the same on emulators, with a death at each call: `test/shared/message/scheduledDeaths.test.ts`',
    place: 'beside',
    whole: file('test/e2e/scheduled.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'large-group',
    what: 'A group of 1,024 people reads what is sent, and says so; people come and go meanwhile, and who has gone reads nothing that follows.',
    daily: 'the same with three people: `test/worker/socket/actions/groups.test.ts`',
    place: 'beside',
    whole: file('test/e2e/largeGroup.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
];
