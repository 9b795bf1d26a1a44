import { z } from 'zod';
import type { ConnectionId } from '../../kernel/id.ts';
import { toErasureItem } from '../../media/erasures.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({ ...commonFields, kind: z.literal('connection_deleted') });

/** A connection is deleted: its device is unlinked, and its owner publishes nothing more of it. Its record goes when this is published. */
export type ConnectionDeletedFact = z.infer<typeof schema>;

const connectionDeleted = eventRow({
  type: 'connection.deleted',
  data: z.object({}).meta({ id: 'ConnectionDeletedData' }),
  description:
    'A connection is deleted: its device is unlinked, nothing comes of it any more, and the files that came with its messages are being removed.',
  example: {},
});

/** Files of the connection are erased from here on: whatever came of it is recorded before, in the order of its facts. */
export const connectionDeletedFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ atMs }, { origin, nowMs }) => ({
    plan: 'stored',
    draft: toDraft(connectionDeleted, origin, atMs, {}),
    items: [toErasureItem(origin, nowMs)],
  }),
  events: [connectionDeleted],
});

/** The key of the deletion of a connection: the same whoever tells it. */
export function connectionDeletedKey(connectionId: ConnectionId): string {
  return `connection_deleted:${connectionId}`;
}
