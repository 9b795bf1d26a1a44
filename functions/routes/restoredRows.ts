import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { restoredKinds, keptRowSchema } from '../../shared/archive/restoredRow.ts';
import { restoreOutcomes, restoreRows } from '../../shared/archive/restoreRows.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { linesRoute, type Route } from '../http/route.ts';
import { findConnection, type ConnectionRouteDependencies } from './connections.ts';
import { changeableTenantOf } from './tenantView.ts';

export interface RestoreRouteDependencies
  extends Pick<ConnectionRouteDependencies, 'connections'>, Pick<Surroundings, 'clock'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** The most rows of one request, and the bytes of one: a row has up to 400 KB (DynamoDB), and its JSON some more. */
export const MOST_ROWS = 500;
const ROW_BYTES = 1_024 * 1_024;

const counts = z.partialRecord(z.enum(restoredKinds), z.number().int());
const outcomeSchema = z.record(z.enum(restoreOutcomes), counts).meta({
  id: 'RestoredRows',
  description:
    '`there`: such a row was there, and stays. `unfinished`: a message that had not ended, which nobody would send any more.',
});

/** The route by which rows of an export are brought back. */
export function restoreRoutes(dependencies: RestoreRouteDependencies): readonly Route[] {
  return [
    linesRoute('POST', '/v1/admin/tenants/{tenantId}/connections/{connectionId}/restored-rows', {
      summary: 'Bring rows of an export back; `npm run ops -- restore-conversations` calls it',
      description: `One row a line: \`kind\` and \`kept\` of a line of an export, at most ${MOST_ROWS}. What is there stays, and nothing is told.`,
      access: 'operator',
      lines: z.array(keptRowSchema).min(1).max(MOST_ROWS),
      lineBytes: ROW_BYTES,
      problems: ['tenant_being_deleted'],
      answers: {
        status: 200,
        schema: outcomeSchema,
        example: { written: { message: 498, version: 2 }, there: {}, unfinished: {}, malformed: {} },
      },
      handle: async ({ parameters, body }) => {
        const { tenantId } = await changeableTenantOf(dependencies, parameters['tenantId']);
        const { connectionId } = await findConnection(dependencies.connections, tenantId, parameters['connectionId']);
        const wrong = body.find((line) => line instanceof AppError);
        if (wrong !== undefined) throw wrong;
        const rows = body.flatMap((line) => (line instanceof AppError ? [] : [line]));
        const { table, stage, clock } = dependencies;
        const into = { tenantId, connectionId };
        return { status: 200, json: await restoreRows({ table, stage, nowMs: clock.nowMs() }, into, rows) };
      },
    }),
  ];
}
