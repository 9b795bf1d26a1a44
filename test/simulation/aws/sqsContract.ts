import type { KnownDifference } from './contract.ts';
import { handleContract } from './sqsHandleContract.ts';
import { sqsProperties } from './sqsProperties.ts';
import { receiveContract } from './sqsReceiveContract.ts';
import { sendContract } from './sqsSendContract.ts';
import type { SqsCase } from './sqsUnderTest.ts';
import { unorderedContract } from './sqsUnorderedContract.ts';

/** What the product may expect of SQS, as cases that the fake and the emulator are both held to. */
export const sqsContract: readonly SqsCase[] = [
  ...sendContract,
  ...receiveContract,
  ...handleContract,
  ...unorderedContract,
  ...sqsProperties,
];

/** Where the emulator (fauxqs 2.4.1) does not do what AWS does. */
export const sqsDifferences: readonly KnownDifference[] = [
  {
    case: 'a receive answers as many of one group as there are, in order, and then of the next',
    reason: 'It gives one message of each group in a receive.',
  },
  {
    case: 'a group comes back when the last of its messages is shown again, and in order',
    reason: 'It gives one message of each group in a receive, so there are never several in flight.',
  },
  {
    case: 'a delete with a handle that was superseded is refused as expired',
    reason: 'It takes every handle for a delete, and deletes nothing if it does not know it.',
  },
  {
    case: 'a delete with the handle of a message that is visible again is refused as expired',
    reason: 'It takes every handle for a delete, and deletes nothing if it does not know it.',
  },
  {
    case: 'to hide with a handle that was superseded is refused as expired',
    reason: 'It remembers handles of messages in flight only, and says MessageNotInflight of all others.',
  },
  {
    case: 'a delete with a handle that is none is refused',
    reason: 'It takes every handle for a delete, and deletes nothing if it does not know it.',
  },
];
