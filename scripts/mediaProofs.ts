import { file, TESTS, type Proof } from './proof.ts';

/** The proofs of files. */
export const mediaProofs: readonly Proof[] = [
  {
    name: 'media-corpus',
    what: 'Each of eighty files as strangers make them is sent, converted or refused with its code, in bounded memory, and nothing of it stays behind.',
    daily: 'a file of each treatment and each fault: `test/functions/media/prepare`',
    place: 'beside',
    whole: file('test/functions/media/prepare/corpus.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'large-file',
    what: 'The simulator sends and opens a file of 2 GB, and never holds it in memory.',
    daily: 'files of 200 KB, sealed and opened in chunks: `test/whatsapp/media/phoneFiles.test.ts`',
    place: 'beside',
    whole: file('test/whatsapp/media/largeFile.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'large-media',
    what: 'Ten files of 64 MB at once come, and go, through the product, and one of 2 GB each way, and they take less than 100 MB of any process.',
    daily: 'two parts of each file in memory: `test/shared/media/objectStore.test.ts`',
    place: 'alone',
    whole: file('test/bench/largeMedia.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'file-kills',
    what: 'A process of the media function is killed before and after each call for a file that comes or goes: the next one brings it to its end, once, and leaves nothing.',
    daily: 'a death at each call of a send, in memory: `test/functions/media/send/sendFile.test.ts`',
    place: 'alone',
    whole: file('test/crash/fileKills.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'one-upload',
    what: 'A file for 1,000 people is uploaded once, also when the worker is killed in the middle, and each opens it once.',
    daily: '40 people: `test/e2e/sentFiles.test.ts`',
    place: 'beside',
    whole: file('test/e2e/oneUpload.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'history',
    what: 'A history of 50,000 messages in 500 chats is taken in once, though its job is killed three times, for less than a write unit a message.',
    daily: 'one killed at each call of the store, and hostile ones: `test/functions/media/history`',
    place: 'beside',
    whole: file('test/functions/media/history/history.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
];
