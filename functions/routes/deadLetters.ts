import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import {
  deadReasons,
  kindOfLetterId,
  letterKinds,
  type DeadLetter,
  type DeadReason,
  type LetterKind,
} from '../../shared/deadLetters/deadLetter.ts';
import type { LetterDependencies } from '../../shared/deadLetters/lettersInHand.ts';
import { isChosen, LOOKED_THROUGH, readDeadLetters } from '../../shared/deadLetters/readDeadLetters.ts';
import { settleDeadLetters, type LetterAct } from '../../shared/deadLetters/settleDeadLetters.ts';
import type { Failure } from '../../shared/webhook/attempt.ts';
import { route, type Route } from '../http/route.ts';
import { authorSchema } from './authorSchema.ts';
import { limitSchema } from './views.ts';

export interface DeadLetterRouteDependencies extends LetterDependencies {
  readonly connections: Pick<ConnectionStore, 'find'>;
}

/** The letters of one kind that one request settles, at most; each is a send and a deletion. */
const SETTLED_AT_ONCE = 200;
const MOST_IDS = 100;

const reasons = Object.keys(deadReasons) as [DeadReason, ...DeadReason[]];
const text = z.string().optional();

const errorSchema = z
  .object({
    at: z.iso.datetime(),
    httpStatus: z.number().int().optional(),
    reason: z.string().optional().meta({ description: 'Why there was no answer, as a code such as `ECONNREFUSED`.' }),
  })
  .meta({ id: 'DeadLetterError' });

const letterSchema = z
  .object({
    id: z.string().meta({ description: 'Stays the same until the letter is redriven or discarded.' }),
    queue: z.enum(letterKinds),
    reason: z.enum(reasons),
    sentence: z.string(),
    since: z.iso
      .datetime()
      .meta({ description: 'When its queue got it; of deliveries and media, for the first time.' }),
    firstError: errorSchema
      .optional()
      .meta({ description: 'How its first attempt failed; known of deliveries alone.' }),
    lastError: errorSchema.optional(),
    tenantId: text,
    connectionId: text,
    correlationId: text,
    messageId: text,
    actionId: text,
    mediaId: text,
    webhookId: text,
    eventId: text,
    what: text.meta({ description: 'The kind of the command, of the job, or of the first fact.' }),
    bytes: z.number().int().meta({ description: 'The size of its body, of which nothing else is shown.' }),
  })
  .meta({ id: 'DeadLetter' });

const count = z.number().int();
const viewSchema = z
  .object({
    data: z.array(letterSchema).meta({ description: 'Oldest first.' }),
    counts: z
      .object({ commands: count, events: count, deliveries: count, media: count })
      .meta({ description: 'How many there are of each kind, about.' }),
    hasMore: z
      .boolean()
      .meta({ description: 'Whether there may be more than were looked at: choose by queue or tenant.' }),
  })
  .meta({ id: 'DeadLetters' });

const choice = {
  queue: z.enum(letterKinds).optional().meta({ description: 'Only letters of this kind.' }),
  tenantId: z.string().max(64).optional().meta({ description: 'Only letters of this tenant.' }),
  connectionId: z.string().max(64).optional().meta({ description: 'Only letters of this connection.' }),
} as const;

const settleSchema = z
  .strictObject({
    ids: z
      .array(z.string().refine((id) => kindOfLetterId(id) !== undefined, 'must be the id of a dead letter'))
      .min(1)
      .max(MOST_IDS)
      .optional(),
    all: z.literal(true).optional().meta({ description: 'All that the other fields choose, in place of `ids`.' }),
    ...choice,
    by: authorSchema,
  })
  .refine(({ ids, all, queue, tenantId, connectionId }) => {
    const isChoice = [queue, tenantId, connectionId].some((part) => part !== undefined);
    return ids === undefined ? all === true : all === undefined && !isChoice;
  }, 'must have either `ids`, or `all` with or without a choice')
  .meta({ id: 'DeadLetterChoice', example: { all: true, queue: 'deliveries', by: 'ada' } });
type Asked = z.infer<typeof settleSchema>;

const settledSchema = z
  .object({
    settled: z.array(z.string()).meta({ description: 'Those that were sent again, or put away for good.' }),
    stay: z
      .array(z.string())
      .meta({ description: 'Those that no queue is there for: the connection is gone, or nobody can read them.' }),
    missing: z
      .array(z.string())
      .meta({ description: `Of \`ids\`, those that were not among the ${LOOKED_THROUGH} first of their queue.` }),
    hasMore: z.boolean().meta({
      description: `Whether the same request may settle more. Where the ${LOOKED_THROUGH} first letters of a queue all stay, discard them to come to those behind.`,
    }),
  })
  .meta({ id: 'SettledDeadLetters' });

const EXAMPLE = {
  id: 'commands_7d1f2f0e-3b0a-4a52-9b0b-0f6f1f2a9c11',
  queue: 'commands',
  reason: 'unreadable',
  sentence: deadReasons.unreadable,
  since: '2026-11-28T20:00:00.000Z',
  tenantId: 'tnt_01K3C4ZQ7R9T1V3X5Z7B9D1F3H',
  connectionId: 'con_01K3C50A2C4E6G8J0M2P4R6T8W',
  what: 'send_message',
  bytes: 312,
} as const;

/** Routes by which operators look at dead letters of all queues, send them again and put them away. */
export function deadLetterRoutes(dependencies: DeadLetterRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/admin/dead-letters', {
      summary: 'Show the dead letters of all queues: what, whose, since when and why',
      description:
        'A letter is hidden from others for the seconds in which it is looked at. Of one connection that has several commands or events there, the first ones are shown: the rest stands behind them.',
      access: 'operator',
      query: z.strictObject({ ...choice, limit: limitSchema }),
      answers: {
        status: 200,
        schema: viewSchema,
        example: { data: [EXAMPLE], counts: { commands: 1, events: 0, deliveries: 0, media: 0 }, hasMore: false },
      },
      handle: async ({ query: { queue, limit, ...whose } }) => {
        const kinds = queue === undefined ? letterKinds : [queue];
        const { letters, ...more } = await readDeadLetters(dependencies, { kinds, ...whose }, limit);
        return { status: 200, json: { data: letters.map(toView), ...more } };
      },
    }),
    settleRoute(
      dependencies,
      'redrive',
      'Send dead letters to the queues that they came from: some, or all that are chosen',
    ),
    settleRoute(dependencies, 'discard', 'Put dead letters away for good: some, or all that are chosen'),
  ];
}

function settleRoute(dependencies: DeadLetterRouteDependencies, act: LetterAct, summary: string): Route {
  return route('POST', `/v1/admin/dead-letters/${act}`, {
    summary,
    description: `Each has a line in the log, with \`by\`. One request settles ${SETTLED_AT_ONCE} of a queue at most: repeat it while \`hasMore\`.`,
    access: 'operator',
    body: settleSchema,
    answers: {
      status: 200,
      schema: settledSchema,
      example: { settled: [EXAMPLE.id], stay: [], missing: [], hasMore: false },
    },
    handle: async ({ body }) => ({ status: 200, json: await settleAll(dependencies, act, body) }),
  });
}

async function settleAll(
  dependencies: DeadLetterRouteDependencies,
  act: LetterAct,
  { ids, queue, tenantId, connectionId, by }: Asked,
): Promise<z.infer<typeof settledSchema>> {
  const named = ids === undefined ? undefined : new Set(ids);
  const kinds = kindsOf(queue, named);
  const connections = (...names: Parameters<ConnectionStore['find']>) => dependencies.connections.find(...names);
  const ends = await Promise.all(
    kinds.map((kind) =>
      settleDeadLetters({ ...dependencies, findConnection: connections }, kind, {
        act,
        by,
        isMeant: ({ letter }) => named?.has(letter.letterId) ?? isChosen({ tenantId, connectionId }, letter),
        most: { looked: LOOKED_THROUGH, settled: SETTLED_AT_ONCE, meant: named?.size },
      }),
    ),
  );
  const [settled, stay] = [ends.flatMap((end) => end.settled), ends.flatMap((end) => end.stay)];
  const met = new Set([...settled, ...stay]);
  return {
    settled,
    stay,
    missing: [...(named ?? [])].filter((id) => !met.has(id)),
    hasMore: named === undefined && ends.some(({ hasMore }) => hasMore),
  };
}

function kindsOf(queue: LetterKind | undefined, named: ReadonlySet<string> | undefined): readonly LetterKind[] {
  if (named === undefined) return queue === undefined ? letterKinds : [queue];
  return letterKinds.filter((kind) => [...named].some((id) => kindOfLetterId(id) === kind));
}

function toView(letter: DeadLetter): z.infer<typeof letterSchema> {
  const { letterId, kind, reason, sinceMs, firstFailure, lastFailure, ...rest } = letter;
  return {
    id: letterId,
    queue: kind,
    reason,
    sentence: deadReasons[reason],
    since: new Date(sinceMs).toISOString(),
    ...(firstFailure === undefined ? {} : { firstError: toErrorView(firstFailure) }),
    ...(lastFailure === undefined ? {} : { lastError: toErrorView(lastFailure) }),
    ...rest,
  };
}

function toErrorView({ atMs, ...how }: Failure): z.infer<typeof errorSchema> {
  return { at: new Date(atMs).toISOString(), ...how };
}
