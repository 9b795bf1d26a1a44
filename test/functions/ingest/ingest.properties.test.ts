import { describe, expect, it } from 'vitest';
import { makeId } from '../../../shared/kernel/id.ts';
import { aBatch, aMessageFact } from '../../shared/event/eventStores.ts';
import { makeSeededRandom } from '../../simulation/seededRandom.ts';
import { expectEachFactOnce } from './ingestProperties.ts';
import { IngestWorld } from './ingestWorld.ts';

describe('ingest, wherever it dies or sleeps', () => {
  it('tells each fact once and in order, writes what it tells, and delivers it', async () => {
    await expectEachFactOnce(40);
  });

  it('needs less than a call for each message when ten batches come together', async () => {
    const world = new IngestWorld(1);
    const random = makeSeededRandom(1);
    const tenantId = makeId('tnt', 0, random);
    const messages = 10;
    const records = Array.from({ length: messages }, (_, index) =>
      aBatch({ tenantId, connectionId: makeId('con', index, random) }, [aMessageFact()], `batch-${index}`),
    );

    const requests = await world.runOnce(records);

    expect(await world.eventsOf(tenantId)).toHaveLength(messages);
    expect(requests).toEqual([
      // The directory of the log, which is read every few seconds: whether it has ended, and which lanes it has.
      'GetCommand',
      'BatchGetCommand',
      'UpdateCommand',
      // Ten messages and their marks.
      'BatchExecuteStatementCommand',
      'PutCommand',
      'SendMessageBatchCommand',
    ]);
  });
});
