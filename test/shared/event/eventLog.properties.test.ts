import { describe, it } from 'vitest';
import { expectEveryReaderGetsAll } from './eventLogWorld.ts';

describe('the event log, whatever writers, crashes, growth and readers do', () => {
  it('never lets a reader skip an event or see it twice, and keeps the order of each connection', async () => {
    await expectEveryReaderGetsAll(40);
  });
});
