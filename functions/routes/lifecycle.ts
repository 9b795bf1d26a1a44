import { z } from 'zod';
import type { Connection } from '../../shared/connection/connection.ts';
import { connectionStatuses, statusCodes, statusRules, userActions } from '../../shared/connection/status.ts';
import { HISTORY_LENGTH, readHistory, type StatusTransition } from '../../shared/connection/statusHistory.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { makeId, type CorrelationId, type TenantId } from '../../shared/kernel/id.ts';
import type { ControlKind } from '../../shared/message/command.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { findConnection, type ConnectionRouteDependencies } from './connections.ts';
import { requestControl, type ControlTruth } from '../runtime/requestControl.ts';
import { connectionViewSchema, pageOf, toConnectionView, toPage } from './views.ts';

const transitionSchema = z
  .object({
    number: z.number().int().meta({ description: 'Counts the changes of this connection, from 1.' }),
    at: z.iso.datetime(),
    status: z.enum(connectionStatuses),
    code: z.enum(statusCodes),
    sentence: z.string(),
    userAction: z.enum(userActions),
    closeCode: z
      .number()
      .int()
      .optional()
      .meta({ description: 'The number with which the connection to WhatsApp was closed, where that was the cause.' }),
  })
  .meta({ id: 'StatusChange' });

type Asked = { readonly tenantId: TenantId; readonly connection: Connection };

/** Routes by which a tenant acts on a connection as it runs, and sees what has become of it. */
// oxlint-disable-next-line max-lines-per-function -- a table: one row after the other
export function lifecycleRoutes(dependencies: ConnectionRouteDependencies): readonly Route[] {
  const { connections, clock, random } = dependencies;

  /**
   * Serves a request that changes the wanted state in the record, and notifies the owner. Answers with the record as it
   * is then.
   */
  const ask = (
    action: 'start' | 'stop' | 'restart' | 'logout',
    summary: string,
    kind: ControlKind,
    change: (asked: Asked) => Promise<'set' | 'missing'>,
    truth: (before: Connection) => ControlTruth,
  ): Route =>
    route('POST', `/v1/connections/{connectionId}/${action}`, {
      summary,
      problems: ['connection_not_paired', 'connection_off', 'change_conflict'],
      answers: { status: 202, schema: connectionViewSchema },
      handle: async ({ tenantId, parameters, correlationId }): Promise<Answer> => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        if ((await change({ tenantId, connection })) === 'missing') throw new AppError('change_conflict');
        return answer(tenantId, connection, kind, correlationId, truth(connection));
      },
    });
  const answer = async (
    tenantId: TenantId,
    connection: Connection,
    kind: ControlKind,
    correlationId: CorrelationId,
    truth: ControlTruth,
  ): Promise<Answer> => {
    dependencies.sendable.forget(connection.connectionId);
    await requestControl(dependencies, connection, kind, correlationId, truth);
    const now = await findConnection(connections, tenantId, connection.connectionId);
    return { status: 202, json: toConnectionView(now, dependencies.clock.nowMs()) };
  };

  return [
    ask(
      'start',
      'Switch a paired connection on, or try again one that has failed',
      'start',
      ({ tenantId, connection }) => {
        assertPaired(connection);
        return connections.setWanted(tenantId, connection.connectionId, 'online');
      },
      // A connection that is wanted online already and has given up is tried again because of the command alone.
      ({ wanted }) => (wanted === 'online' ? 'command_only' : 'recorded'),
    ),
    ask(
      'stop',
      'Switch a connection off; the device stays linked',
      'stop',
      ({ tenantId, connection }) => connections.setWanted(tenantId, connection.connectionId, 'off'),
      () => 'recorded',
    ),
    ask(
      'restart',
      'Open the connection to WhatsApp again, 30 s after the last time at the soonest',
      'restart',
      async ({ connection }) => {
        assertPaired(connection);
        assertOn(connection);
        return 'set';
      },
      () => 'command_only',
    ),
    ask(
      'logout',
      'Unlink the device and keep the connection; messages that wait fail',
      'unlink',
      ({ tenantId, connection }) => {
        assertPaired(connection);
        assertOn(connection);
        const requestId = makeId('cor', clock.nowMs(), random);
        return connections.setLogout(tenantId, connection.connectionId, { requestId });
      },
      () => 'recorded',
    ),
    route('GET', '/v1/connections/{connectionId}/history', {
      summary: `Read the last ${HISTORY_LENGTH} changes of the status, newest first`,
      answers: { status: 200, schema: pageOf(transitionSchema) },
      handle: async ({ tenantId, parameters }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const data = (await readHistory(dependencies, connectionId, clock.nowMs())).map(toView);
        return { status: 200, json: toPage(data, undefined) };
      },
    }),
  ];
}

function assertPaired({ account }: Connection): void {
  if (account === undefined) throw new AppError('connection_not_paired');
}

function assertOn({ wanted }: Connection): void {
  if (wanted === 'off') throw new AppError('connection_off');
}

function toView({ number, atMs, status, code, closeCode }: StatusTransition): z.infer<typeof transitionSchema> {
  const { sentence, userAction } = statusRules[code];
  const at = new Date(atMs).toISOString();
  return { number, at, status, code, sentence, userAction, ...(closeCode === undefined ? {} : { closeCode }) };
}
