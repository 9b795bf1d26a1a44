import { z } from 'zod';
import { connectionStatuses, statusCodes, statusRules, userActions } from '../../connection/status.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('status'),
  status: z.enum(connectionStatuses),
  code: z.enum(statusCodes),
  nextAttemptAtMs: z.number().int().optional(),
});

/** A new public status of the connection, recorded on its row before this is published. */
export type StatusFact = z.infer<typeof schema>;

const connectionStatus = eventRow({
  type: 'connection.status',
  data: z
    .object({
      status: z.enum(connectionStatuses),
      code: z.enum(statusCodes).meta({ description: 'Why, as a stable code.' }),
      sentence: z.string(),
      userAction: z.enum(userActions),
      since: z.iso.datetime(),
      nextAttemptAt: z.iso
        .datetime()
        .optional()
        .meta({ description: 'When the next attempt to connect begins; absent when none is planned.' }),
    })
    .meta({ id: 'ConnectionStatusData' }),
  description: 'The status of a connection has changed.',
  example: {
    status: 'reconnecting',
    code: 'network_lost',
    sentence: statusRules.network_lost.sentence,
    userAction: statusRules.network_lost.userAction,
    since: '2026-08-01T12:00:05.000Z',
    nextAttemptAt: '2026-08-01T12:00:20.000Z',
  },
});

export const statusFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ status, code, nextAttemptAtMs, atMs }, { origin }) => {
    const { sentence, userAction } = statusRules[code];
    const since = new Date(atMs).toISOString();
    const next = nextAttemptAtMs === undefined ? {} : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() };
    const told = { status, code, sentence, userAction, since, ...next };
    return { plan: 'stored', draft: toDraft(connectionStatus, origin, atMs, told) };
  },
  events: [connectionStatus],
});

/** The key of a status. @param token of the ownership in which it was seen @param number never twice in the life of a process */
export function statusKey(token: number, number: number): string {
  return `status:${token}:${number}`;
}
