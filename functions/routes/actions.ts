import { z } from 'zod';
import { acceptAction, findAcceptedAction, type AcceptActionDependencies } from '../../shared/action/acceptAction.ts';
import { asShownAction, isEnded } from '../../shared/action/action.ts';
import { actionRows, pathFieldsOf, type ActionKind } from '../../shared/action/actionKinds.ts';
import type { ActionRow } from '../../shared/action/actionRow.ts';
import { actionViewSchema, actionViewSchemaOf, toActionView } from '../../shared/action/actionView.ts';
import { awaitEnd } from '../../shared/action/awaitEnd.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { withFilesOf } from '../../shared/media/filesToSend.ts';
import { fileProblems } from '../../shared/message/settleFile.ts';
import { readIdempotencyKey } from '../http/idempotencyKey.ts';
import { readPrefer } from '../http/prefer.ts';
import { checkInput } from '../http/checkInput.ts';
import { takeOrFind } from '../http/rates.ts';
import { ACTION_PATH, route, type Answer, type Request, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

export interface ActionRouteDependencies extends AcceptActionDependencies {
  readonly connections: ConnectionStore;
}

/** How long an answer is waited for when the caller does not say, in seconds. */
const WAIT_SECONDS = 10;
/** The time within which a caller is answered, in milliseconds: a function and the gateway before it end at 29 s. */
const ANSWER_WITHIN_MS = 26_500;
/** The time in seconds after which a caller should look again at an action that has not ended. */
const LOOK_AGAIN_SECONDS = 2;

const expiresAtSchema = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .optional()
  .meta({
    description:
      'Given, the action may wait for the connection to come online, and is begun before this time or never: at most 7 days. Left out, the connection has to be online.',
    example: '2026-12-01T08:00:00Z',
  });

/** Makes one route for each kind of action, and the routes that read the outcome. */
export function actionRoutes(dependencies: ActionRouteDependencies): readonly Route[] {
  const { connections, actions, clock } = dependencies;
  return [
    ...(actionRows as readonly unknown[] as readonly ActionRow<ActionKind>[]).map((row) => askRoute(dependencies, row)),
    route('GET', ACTION_PATH, {
      summary: 'Read an action and what became of it',
      answers: { status: 200, schema: actionViewSchema },
      handle: async ({ tenantId, connectionIds, parameters }) => {
        const actionId = parseId('act', parameters['actionId'] ?? '');
        const nowMs = clock.nowMs();
        const action = actionId && (await actions.findOfTenant(tenantId, actionId, nowMs));
        if (action === undefined || connectionIds?.includes(action.connectionId) === false) {
          throw new AppError('action_not_found');
        }
        return { status: 200, json: toActionView(action, nowMs) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/actions', {
      summary: 'List actions, newest first',
      query: z.strictObject({ before: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(actionViewSchema) },
      handle: async ({ tenantId, parameters, query }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const before = query.before === undefined ? undefined : parseId('act', query.before);
        if (query.before !== undefined && before === undefined) throw new AppError('invalid_cursor');
        const nowMs = clock.nowMs();
        const page = await actions.list(connectionId, { before, limit: query.limit, nowMs });
        return {
          status: 200,
          json: toPage(
            page.actions.map((action) => toActionView(action, nowMs)),
            page.next,
          ),
        };
      },
    }),
  ];
}

/** The fields of a request that stand in the body, or in the query of what is asked for by GET; the others stand in the path. */
function fieldsOf(row: ActionRow<ActionKind>) {
  const inPath = pathFieldsOf(row);
  return row.request
    .omit(Object.fromEntries(inPath.map((name) => [name, true])) as Record<string, never>)
    .extend({ expires_at: expiresAtSchema })
    .meta({
      example: Object.fromEntries(Object.entries(row.example.request).filter(([name]) => !inPath.includes(name))),
    });
}

/**
 * How long a caller is kept waiting, in milliseconds: not for a connection that is away, and no longer than is left.
 * The function is pure.
 */
function waitOf({ status }: Pick<Connection, 'status'>, seconds: number, leftMs: number): number {
  const isThere = status === 'online' || status === 'handing_off';
  return isThere ? Math.max(0, Math.min(seconds * 1_000, leftMs)) : 0;
}

/** The headers of an answer. A preference is said to be applied only where it was: nobody waits for a connection that is away. */
function headersOf(
  actionId: string,
  answer: { readonly waitSeconds: number | undefined; readonly hasWaited: boolean; readonly ended: boolean },
): Record<string, string> {
  const { waitSeconds, hasWaited, ended } = answer;
  return {
    ...(waitSeconds !== undefined && (hasWaited || ended) ? { 'preference-applied': `wait=${waitSeconds}` } : {}),
    ...(ended ? {} : { location: `/v1/actions/${actionId}`, 'retry-after': String(LOOK_AGAIN_SECONDS) }),
  };
}

/** What may refuse an action of a kind, beside the form of its request. */
function problemsOfAsking({ method, file }: ActionRow<ActionKind>): readonly ErrorCode[] {
  return [
    'connection_not_paired',
    'connection_off',
    'connection_not_online',
    'too_many_actions',
    // Every route with a body has it.
    ...(method === 'GET' ? (['payload_too_large'] as const) : []),
    ...(file === undefined ? [] : fileProblems),
  ];
}

/** Makes the route by which one kind of action is asked for. */
function askRoute(dependencies: ActionRouteDependencies, row: ActionRow<ActionKind>): Route {
  const { kind, method, path, access, summary, description } = row;
  const isRead = method === 'GET';
  const fields = fieldsOf(row);
  return route<z.ZodType>(method, `/v1/connections/{connectionId}/${path}`, {
    summary,
    description,
    access,
    ...(isRead ? { query: fields } : { body: fields }),
    // What an action needs may all stand in the path.
    isBodyOptional: !isRead && fields.safeParse({}).success,
    headers: isRead ? ['prefer'] : ['idempotency-key', 'prefer'],
    problems: problemsOfAsking(row),
    answers: {
      status: 200,
      schema: actionViewSchemaOf(kind),
      otherwise: {
        status: 202,
        description: 'Accepted, and not over yet: read it where `Location` says, or wait for its event.',
      },
    },
    handle: (asked) => askAndWait(dependencies, row, asked),
  });
}

/** Accepts an action of one kind, and answers with how it ended, or after a while with how it stands. */
async function askAndWait(
  dependencies: ActionRouteDependencies,
  row: ActionRow<ActionKind>,
  { tenantId, connectionIds, parameters, body, query, headers, correlationId, quotas, take }: Request<unknown, unknown>,
): Promise<Answer> {
  const { connections, clock } = dependencies;
  const begunAtMs = clock.monotonicMs();
  const isRead = row.method === 'GET';
  const { waitSeconds } = readPrefer(headers['prefer']);
  const idempotencyKey = isRead ? undefined : readIdempotencyKey(headers);
  const connection = await findConnection(connections, tenantId, parameters['connectionId']);
  const { expires_at: expiresAtMs, ...given } = (isRead ? query : body) as { readonly expires_at?: number };
  const inPath = Object.fromEntries(pathFieldsOf(row).map((name) => [name, parameters[name]]));
  const request = checkInput(row.request, { ...given, ...inPath }, 'body') as Readonly<Record<string, unknown>>;
  const asking = {
    connection,
    kind: row.kind,
    request,
    expiresAtMs,
    idempotencyKey,
    mostOpen: (await quotas()).openActions,
    correlationId,
  };
  const accepted =
    (await takeOrFind(
      () => take([{ quota: 'actions' }]),
      () => findAcceptedAction(dependencies, asking),
    )) ?? (await acceptAction(withFilesOf(dependencies, connectionIds), asking));
  const leftMs = begunAtMs + ANSWER_WITHIN_MS - clock.monotonicMs();
  const waitMs = waitOf(connection, waitSeconds ?? WAIT_SECONDS, leftMs);
  const isOver = isEnded(asShownAction(accepted, clock.nowMs()));
  const action = isOver ? accepted : await awaitEnd(dependencies, accepted, waitMs);
  const ended = isOver || isEnded(action);
  return {
    status: ended ? 200 : 202,
    json: toActionView(action, clock.nowMs()),
    headers: headersOf(action.actionId, { waitSeconds, hasWaited: waitMs > 0 || waitSeconds === 0, ended }),
  };
}
