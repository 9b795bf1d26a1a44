import { describe, it } from 'vitest';
import { expectEachFactOnce } from './ingestProperties.ts';

describe('ingest, wherever it dies or sleeps, at length', () => {
  it('tells each fact once and in order, writes what it tells, and delivers it', async () => {
    await expectEachFactOnce(5_000);
  }, 900_000);
});
