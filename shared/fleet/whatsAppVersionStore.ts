import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { tableName } from '../platform/tables.ts';
import type { FleetTable } from './fleetTable.ts';
import { noVersionPlan, type VersionChange, type VersionPlan } from './whatsAppVersion.ts';

/** The plan of WhatsApp versions: one item of the Fleet table, read and put as a whole. */
export const versionKey = { pk: 'WHATSAPP_VERSION', sk: 'WHATSAPP_VERSION' } as const;

/** The number of tries of a change. Each loss means that another write went through, and there are few writes. */
const TRIES = 8;

/** Reads the plan; strongly consistent. Throws when the store does not answer. */
export async function readVersionPlan({ table, stage }: FleetTable): Promise<VersionPlan> {
  const TableName = tableName(stage, 'fleet');
  const Keys = [{ ...versionKey }];
  const answer = await table.send(
    new BatchGetCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead: true } } }),
  );
  if ((answer.UnprocessedKeys?.[TableName]?.Keys ?? []).length > 0) throw new AppError('store_unavailable');
  const item = answer.Responses?.[TableName]?.[0];
  return item === undefined ? noVersionPlan : toPlan(item);
}

/**
 * Changes the plan: the result of `decide` is stored. Condition: nobody has changed the plan since it was read;
 * otherwise it is read and decided again. `decide` may return the plan itself, and then nothing is written.
 */
export async function changeVersionPlan(
  fleet: FleetTable,
  decide: (plan: VersionPlan) => VersionPlan,
): Promise<{ readonly plan: VersionPlan; readonly before: VersionPlan }> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const before = await readVersionPlan(fleet);
    const plan = decide(before);
    if (plan === before || (await put(fleet, plan, before)) === 'stored') return { plan, before };
  }
  throw new AppError('store_unavailable');
}

async function put(
  { table, stage }: FleetTable,
  { candidate, ...plan }: VersionPlan,
  before: VersionPlan,
): Promise<'stored' | 'lost'> {
  const isFirst = before.revision === 0;
  try {
    await table.send(
      new PutCommand({
        TableName: tableName(stage, 'fleet'),
        Item: {
          ...versionKey,
          ...plan,
          ...(candidate === undefined ? {} : { candidate: candidate.version, canaryPercent: candidate.percent }),
        },
        ConditionExpression: isFirst ? 'attribute_not_exists(pk)' : 'revision = :seen',
        ...(isFirst ? {} : { ExpressionAttributeValues: { ':seen': before.revision } }),
      }),
    );
    return 'stored';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}

function toPlan(item: Readonly<Record<string, unknown>>): VersionPlan {
  const candidate = item['candidate'] as string | undefined;
  return {
    revision: item['revision'] as number,
    current: item['current'] as string | undefined,
    previous: item['previous'] as string | undefined,
    candidate: candidate === undefined ? undefined : { version: candidate, percent: item['canaryPercent'] as number },
    refused: item['refused'] as readonly string[],
    changes: item['changes'] as readonly VersionChange[],
  };
}
