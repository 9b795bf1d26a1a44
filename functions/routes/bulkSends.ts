import { z } from 'zod';
import {
  acceptBulkSend,
  findAcceptedBulkSend,
  type AcceptBulkDependencies,
  type BulkRequest,
} from '../../shared/bulk/acceptBulkSend.ts';
import { changeBulkSend } from '../../shared/bulk/changeBulkSend.ts';
import { MOST_LINES, type BulkSend } from '../../shared/bulk/bulkSend.ts';
import { bulkSendViewSchema, toBulkSendView } from '../../shared/bulk/bulkSendView.ts';
import { listBulkMessages } from '../../shared/bulk/listBulkMessages.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { withFilesOf } from '../../shared/media/filesToSend.ts';
import { outboundMessageSchema } from '../../shared/message/outboundMessage.ts';
import { readIdempotencyKey } from '../http/idempotencyKey.ts';
import { takeOrFind } from '../http/rates.ts';
import { linesRoute, route, type GiveBack, type Request, type Route, type Take } from '../http/route.ts';
import { BulkCountsOnce } from './bulkCounts.ts';
import { findConnection } from './connections.ts';
import { limitSchema, messageViewSchema, pageOf, toMessageView, toPage } from './views.ts';
import { wholeNumber } from '../http/wholeNumber.ts';

export interface BulkRouteDependencies extends AcceptBulkDependencies {
  readonly connections: ConnectionStore;
}

/** The greatest pace that can be asked for; a faster one is none. */
const MOST_PER_MINUTE = 6_000;

const time = (description: string) =>
  z
    .union(
      [
        z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
        z
          .string()
          .regex(/^\d{10}$/)
          .transform((text) => Number(text) * 1_000),
      ],
      {
        error: 'must be a time in ISO 8601 with its offset, like 2026-12-24T18:00:00Z, or seconds since 1970',
      },
    )
    .optional()
    .meta({ description });

const querySchema = z.strictObject({
  not_before: time('When it may begin: at most a year ahead. A plus sign in an offset is written %2B.'),
  expires_at: time('What could not be sent by this time never is. The end of a single message stands in its line.'),
  per_minute: wholeNumber(1, MOST_PER_MINUTE).optional().meta({
    description: 'How many messages it makes in a minute at most. Without it as many as the connection sends.',
  }),
});

const EXAMPLE = {
  id: 'blk_01K3C5M7P9R1T3V5X7Z9B1D3F5',
  status: 'running',
  total: 10_000,
  released: 580,
  counts: { waiting: 9_420, queued: 60, parked: 0, sending: 1, sent: 100, delivered: 380, read: 35, failed: 4 },
  done: 519,
  createdAt: '2027-01-04T08:55:00.000Z',
  notBefore: '2027-01-04T09:00:00.000Z',
  startedAt: '2027-01-04T09:00:12.000Z',
  perMinute: 60,
} as const;

const PATH = '/v1/connections/{connectionId}/bulk-sends';
const DESCRIPTION = `One message a line, as \`POST …/messages\` takes it, without \`not_before\`: at most ${MOST_LINES.toLocaleString('en')} lines, 64 KB each, 4 MB in all; gzip (\`Content-Encoding\`) makes room for 16 MB. All lines are accepted or none: the first 20 problems are told at once, as \`lines.17.text.body\`. They leave in their order as there is room, and other messages of the connection between them.`;

/** The routes of bulk sends: many messages in one request. */
export function bulkRoutes(dependencies: BulkRouteDependencies): readonly Route[] {
  const parts = new BulkParts(dependencies);
  return [
    askingRoute(dependencies, parts),
    ...readingRoutes(dependencies, parts),
    changingRoute(parts, ['POST', '/pause', 'paused'], 'Pause a bulk send: at most 25 more messages become queued'),
    changingRoute(parts, ['POST', '/resume', 'running'], 'Go on with a bulk send that is paused'),
    changingRoute(parts, ['DELETE', '', 'cancelled'], 'Cancel a bulk send: what has left stays, the rest never leaves'),
  ];
}

/** What the routes have in common: how one is found, and how it is shown. */
class BulkParts {
  readonly dependencies: BulkRouteDependencies;
  readonly #counts: BulkCountsOnce;

  constructor(dependencies: BulkRouteDependencies) {
    this.dependencies = dependencies;
    this.#counts = new BulkCountsOnce(dependencies);
  }

  /** Finds the one that a request names. Throws `connection_not_found`, `bulk_send_not_found`. */
  async find(request: Pick<Request<unknown, unknown>, 'tenantId' | 'parameters'>): Promise<BulkSend> {
    return (await this.findBoth(request)).bulk;
  }

  async findBoth({ tenantId, parameters }: Pick<Request<unknown, unknown>, 'tenantId' | 'parameters'>) {
    const { connections, bulkSends } = this.dependencies;
    const connection = await findConnection(connections, tenantId, parameters['connectionId']);
    const bulkSendId = parseId('blk', parameters['bulkSendId'] ?? '');
    const bulk = bulkSendId && (await bulkSends.find(connection.connectionId, bulkSendId));
    if (bulk === undefined) throw new AppError('bulk_send_not_found');
    return { connection, bulk };
  }

  async show(bulk: BulkSend): Promise<z.infer<typeof bulkSendViewSchema>> {
    return toBulkSendView(bulk, await this.#counts.of(bulk), this.dependencies.clock.nowMs());
  }
}

function askingRoute(dependencies: BulkRouteDependencies, parts: BulkParts): Route {
  return linesRoute('POST', PATH, {
    summary: 'Send many messages in one request: 202 means that all are kept, and leave in their order',
    description: DESCRIPTION,
    lines: z.array(outboundMessageSchema).min(1).max(MOST_LINES),
    query: querySchema,
    headers: ['idempotency-key'],
    problems: ['connection_not_paired', 'too_many_messages', 'too_many_bulk_sends'],
    answers: {
      status: 202,
      schema: bulkSendViewSchema,
      example: { ...EXAMPLE, released: 0, counts: { waiting: 10_000 }, done: 0 },
    },
    handle: async ({
      tenantId,
      connectionIds,
      parameters,
      body: lines,
      query,
      headers,
      correlationId,
      quotas,
      take,
    }) => {
      const connection = await findConnection(dependencies.connections, tenantId, parameters['connectionId']);
      const { not_before: notBeforeMs, expires_at: expiresAtMs, per_minute: perMinute } = query;
      const times = { notBeforeMs, expiresAtMs };
      const idempotencyKey = readIdempotencyKey(headers);
      const request = {
        connection,
        lines,
        times,
        perMinute,
        idempotencyKey,
        mostOpen: (await quotas()).openBulkSends,
        correlationId,
      };
      const within = withFilesOf(dependencies, connectionIds);
      return { status: 202, json: await parts.show(await acceptCounted(within, request, take)) };
    },
  });
}

/** Accepts a bulk send and counts its lines, or finds the one that was accepted under its key where there is no room for them. */
async function acceptCounted(dependencies: BulkRouteDependencies, request: BulkRequest, take: Take): Promise<BulkSend> {
  let giveBack: GiveBack | undefined;
  const repeated = await takeOrFind(
    async () => (giveBack = await take([{ quota: 'messagesPerDay', tokens: request.lines.length }])),
    () => findAcceptedBulkSend(dependencies, request),
  );
  if (repeated !== undefined) return repeated;
  try {
    return await acceptBulkSend(dependencies, request);
  } catch (error) {
    await giveBack?.();
    throw error;
  }
}

function readingRoutes(dependencies: BulkRouteDependencies, parts: BulkParts): readonly Route[] {
  const { connections, bulkSends, clock } = dependencies;
  return [
    route('GET', PATH, {
      summary: 'List bulk sends, newest first: `released` of each, and `counts` where one is read alone',
      query: z.strictObject({ before: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(bulkSendViewSchema) },
      handle: async ({ tenantId, parameters, query }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const before = query.before === undefined ? undefined : parseId('blk', query.before);
        if (query.before !== undefined && before === undefined) throw new AppError('invalid_cursor');
        const nowMs = clock.nowMs();
        const page = await bulkSends.list(connectionId, { before, limit: query.limit, nowMs });
        const data = page.bulkSends.map((bulk) => toBulkSendView(bulk, undefined, nowMs));
        return { status: 200, json: toPage(data, page.next) };
      },
    }),
    route('GET', `${PATH}/{bulkSendId}`, {
      summary: 'Read how far a bulk send is',
      answers: { status: 200, schema: bulkSendViewSchema, example: EXAMPLE },
      handle: async (request) => ({ status: 200, json: await parts.show(await parts.find(request)) }),
    }),
    route('GET', `${PATH}/{bulkSendId}/messages`, {
      summary: 'List the messages of a bulk send in the order of its lines',
      description:
        'A line that is no message yet has the status `scheduled`, and is found under its id only when it is one.',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(messageViewSchema) },
      handle: async ({ query, ...request }) => {
        const { connection, bulk } = await parts.findBoth(request);
        if (query.after !== undefined && !/^\d{1,5}$/.test(query.after)) throw new AppError('invalid_cursor');
        const from = Number(query.after ?? 0);
        const page = await listBulkMessages(dependencies, bulk, { from, limit: query.limit });
        const nowMs = clock.nowMs();
        const data = page.messages.map((one) => toMessageView(one, { nowMs, connection }));
        return { status: 200, json: toPage(data, page.next?.toString()) };
      },
    }),
  ];
}

function changingRoute(
  parts: BulkParts,
  [method, ending, to]: readonly [Route['method'], string, 'paused' | 'running' | 'cancelled'],
  summary: string,
): Route {
  return route(method, `${PATH}/{bulkSendId}${ending}`, {
    summary,
    problems: ['bulk_send_over', 'change_conflict'],
    answers: { status: 200, schema: bulkSendViewSchema, example: { ...EXAMPLE, status: to } },
    handle: async (request) => {
      const bulk = await changeBulkSend(parts.dependencies, await parts.find(request), to);
      return { status: 200, json: await parts.show(bulk) };
    },
  });
}
