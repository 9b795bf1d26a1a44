import { z } from 'zod';
import { historyCountsFields } from '../event/facts/historyFact.ts';

/** What became of the messages of a history, as the API shows it. */
export const historyCountsSchema = z.object(historyCountsFields).meta({
  id: 'HistoryCounts',
  description: 'What became of the messages of a history: all but `chats` add up to their number.',
});
