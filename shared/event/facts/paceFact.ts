import { z } from 'zod';
import { paceSchema, toShownPace } from '../../connection/paceView.ts';
import { waitCodes, waitRules } from '../../connection/paceWait.ts';
import type { ToldPace } from '../../connection/toldPace.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { commonFields, timeMs } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('pace'),
  used: z.number().int().min(0),
  limit: z.number().int().min(0).optional(),
  wait: z.object({ code: z.enum(waitCodes), untilMs: timeMs }).optional(),
});

/** Messages of the connection wait for its pace, for another reason or until another time, or no more: noted on its record before this is published. */
export type PaceFact = z.infer<typeof schema>;

const connectionPace = eventRow({
  type: 'connection.pace',
  data: paceSchema.meta({ id: 'ConnectionPaceData' }),
  description:
    'Messages of a connection begin to wait for its pace, wait for another reason or until another time, or wait no more.',
  example: {
    firstContacts: { used: 12, limit: 20 },
    wait: {
      state: waitRules.first_contacts_restricted.state,
      code: 'first_contacts_restricted',
      sentence: waitRules.first_contacts_restricted.sentence,
      until: '2026-08-01T13:00:05.000Z',
    },
  },
});

export const paceFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ atMs, used, limit, wait }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(connectionPace, origin, atMs, toShownPace({ used, limit, wait })),
  }),
  events: [connectionPace],
});

/** The key of a change: the same whoever tells it. */
export function paceKey({ number, atMs }: Pick<ToldPace, 'number' | 'atMs'>): string {
  return `pace:${atMs}:${number}`;
}
