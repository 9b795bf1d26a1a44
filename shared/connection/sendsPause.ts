import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { fencedBy } from '../platform/fence.ts';
import { connectionKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { CoreTable, OwnedRecord } from './ownedItem.ts';

interface PauseRule {
  /**
   * `paused`: nothing is sent. `partly_paused`: only messages wait that need an answer which WhatsApp does not give at
   * the moment.
   */
  readonly state: 'paused' | 'partly_paused';
  readonly sentence: string;
}

/** The sentences for a tenant while messages wait although their connection is online. */
export const pauseRules = {
  sends_paused: {
    state: 'paused',
    sentence:
      'WhatsApp did not answer five sends in a row. Messages wait in their order and are tried again in a minute or when the connection opens anew.',
  },
  look_ups_limited: {
    state: 'partly_paused',
    sentence:
      'WhatsApp limits look-ups of new recipients by this account. Messages to them wait and are tried again by themselves; messages to recipients that are known go on.',
  },
  look_ups_unanswered: {
    state: 'partly_paused',
    sentence:
      'WhatsApp did not answer a look-up of a recipient. Messages that need one wait and are tried again by themselves; messages to recipients that are known go on.',
  },
} as const satisfies Record<string, PauseRule>;
export type PauseCode = keyof typeof pauseRules;
export const pauseCodes = Object.keys(pauseRules) as [PauseCode, ...PauseCode[]];

export interface SendsPause {
  readonly code: PauseCode;
  readonly untilMs: number;
}

/**
 * Shows that messages of a connection wait, or that they go on. Condition: no newer owner has stored a status.
 * @param pause undefined when all messages go on
 */
export async function recordSendsPause(
  { table, stage }: CoreTable,
  owned: OwnedRecord,
  pause: SendsPause | undefined,
): Promise<'recorded' | 'lost'> {
  const fence = fencedBy('statusToken', owned.token);
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: connectionKey(owned.tenantId, owned.connectionId),
        UpdateExpression:
          pause === undefined
            ? 'REMOVE sendsPausedUntilMs, sendsPausedBecause'
            : 'SET sendsPausedUntilMs = :until, sendsPausedBecause = :code',
        ConditionExpression: `attribute_exists(pk) AND ${fence.condition}`,
        ExpressionAttributeNames: fence.names,
        ExpressionAttributeValues: {
          ...fence.values,
          ...(pause === undefined ? {} : { ':until': pause.untilMs, ':code': pause.code }),
        },
      }),
    );
    return 'recorded';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}
