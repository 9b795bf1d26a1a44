import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { historyPolicies } from '../../shared/connection/historyPolicy.ts';
import { withDefaults } from '../../shared/connection/settings.ts';
import { historyCountsSchema } from '../../shared/history/historyView.ts';
import {
  addCounts,
  historyFaults,
  historyTypeNames,
  NO_COUNTS,
  type HistoryFault,
} from '../../shared/history/historyNotice.ts';
import type { ListedNotice, NoticeStore } from '../../shared/history/noticeStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';

export interface HistoryRouteDependencies extends Pick<Surroundings, 'clock'> {
  readonly connections: ConnectionStore;
  readonly notices: Pick<NoticeStore, 'list'>;
}

/** The most parts that are named because they failed. */
const MOST_FAILED = 20;

const failedSchema = z.object({
  type: z.enum(historyTypeNames),
  chunk: z.number().int(),
  code: z.enum(Object.keys(historyFaults) as [HistoryFault, ...HistoryFault[]]),
  sentence: z.string(),
});

const partsSchema = {
  parts: z.number().int().meta({ description: 'How many parts the phone has told of.' }),
  done: z.number().int(),
  failed: z.number().int(),
  counts: historyCountsSchema,
} as const;

const syncSchema = z
  .object({
    policy: z.enum(historyPolicies).meta({ description: 'What the settings say now: `history`.' }),
    state: z.enum(['none', 'running', 'done']).meta({
      description: '`none`: the phone has told of no history. `running`: a part of it is still to be taken in.',
    }),
    ...partsSchema,
    types: z.array(
      z.object({
        type: z.enum(historyTypeNames),
        progress: z.number().int().meta({ description: 'How far the phone has come with this type, in percent.' }),
        ...partsSchema,
        beganAt: z.iso.datetime(),
        endedAt: z.iso.datetime().optional(),
      }),
    ),
    failures: z.array(failedSchema).meta({ description: `Parts that never can be taken in; at most ${MOST_FAILED}.` }),
  })
  .meta({ id: 'HistorySync', description: 'How far the history of an account is taken in, and what became of it.' });

const COUNTS = { chats: 500, stored: 48_211, known: 1_204, acts: 431, system: 154, unreadable: 0 } as const;
const EXAMPLE = {
  policy: 'recent',
  state: 'running',
  parts: 5,
  done: 4,
  failed: 0,
  counts: COUNTS,
  types: [
    { type: 'recent', progress: 80, parts: 5, done: 4, failed: 0, counts: COUNTS, beganAt: '2026-08-01T12:00:05.000Z' },
  ],
  failures: [],
} as const;

/** The route that says how far a history is taken in. */
export function historyRoutes({ connections, notices, clock }: HistoryRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/connections/{connectionId}/sync', {
      summary: 'Read how far the history of an account is taken in',
      description:
        'The counts add up to the messages in the parts that are done, and in those chats of others that are.',
      answers: { status: 200, schema: syncSchema, example: EXAMPLE },
      handle: async ({ tenantId, parameters }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const listed = await notices.list(connection.connectionId, clock.nowMs());
        const { history: policy } = withDefaults(connection.settings);
        return { status: 200, json: { policy, ...toSync(listed) } };
      },
    }),
  ];
}

function toSync(notices: readonly ListedNotice[]) {
  const types = [...Map.groupBy(notices, ({ type }) => type)].map(([type, all]) => ({ type, ...toType(all) }));
  const failed = notices.filter(({ state }) => state === 'failed');
  const isRunning = notices.some(({ state }) => state === 'waiting');
  return {
    state: notices.length === 0 ? 'none' : isRunning ? 'running' : 'done',
    ...toParts(notices),
    types: types.toSorted((one, other) => (one.beganAt < other.beganAt ? -1 : 1)),
    failures: failed.slice(0, MOST_FAILED).map(({ type, chunk, fault = 'malformed' }) => ({
      type,
      chunk,
      code: fault,
      sentence: historyFaults[fault],
    })),
  } as const;
}

function toParts(notices: readonly ListedNotice[]) {
  return {
    parts: notices.length,
    done: notices.filter(({ state }) => state === 'done').length,
    failed: notices.filter(({ state }) => state === 'failed').length,
    counts: notices.reduce((sum, { counts }) => addCounts(sum, counts), NO_COUNTS),
  };
}

function toType(notices: readonly ListedNotice[]) {
  const ended = notices.flatMap(({ endedAtMs }) => endedAtMs ?? []);
  return {
    progress: Math.max(...notices.map(({ progress }) => progress)),
    ...toParts(notices),
    beganAt: new Date(Math.min(...notices.map(({ recordedAtMs }) => recordedAtMs))).toISOString(),
    ...(ended.length === notices.length ? { endedAt: new Date(Math.max(...ended)).toISOString() } : {}),
  };
}
