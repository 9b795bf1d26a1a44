import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { ChatStore } from '../../shared/chat/chatStore.ts';
import { ContactStore } from '../../shared/contact/contactStore.ts';
import { EventLagNote } from '../../shared/event/eventLag.ts';
import type { IngestConfig } from '../../shared/platform/config.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { ChatNotes } from './chatNotes.ts';
import { makeIngestHandler } from './handler.ts';
import { PeopleNotes } from './peopleNotes.ts';
import { withQueueMarks } from './queueMarks.ts';
import { composeStores } from '../runtime/storeComposition.ts';

/**
 * The ingest function. Beside its work it records how long facts lay in the queue, so that people can ask how far
 * behind it is.
 */
export function composeIngest(config: IngestConfig) {
  const parts = composeStores(config, 'ingest');
  const people = new PeopleNotes({ ...parts, contacts: new ContactStore(parts) });
  const chats = new ChatNotes({ ...parts, chats: new ChatStore(parts) });
  const ingest = withQueueMarks(parts, makeIngestHandler({ ...parts, people, chats }));
  const lag = new EventLagNote(parts, parts.clock.nowMs);
  const handler = async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const response = await ingest(event);
    // A record that comes again counts, too, because its facts are behind as well.
    const sentAtMs = event.Records.map(({ attributes }) => Number(attributes.SentTimestamp)).filter(Number.isFinite);
    await lag.note(sentAtMs).catch((error: unknown) => parts.logger.debug('lag of events was not written', { error }));
    return response;
  };
  return thenFlush(parts.metrics, handler);
}
