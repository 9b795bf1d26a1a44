import { changeOwnedRecord, type CoreTable, type OwnedRecord } from './ownedItem.ts';

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
 * Shows that messages of a connection wait, or that they go on, unless a newer owner has written.
 * @param pause undefined when all messages go on
 */
export function recordSendsPause(
  core: CoreTable,
  owned: OwnedRecord,
  pause: SendsPause | undefined,
): Promise<'recorded' | 'lost'> {
  return changeOwnedRecord(
    core,
    owned,
    pause === undefined
      ? { update: 'REMOVE sendsPausedUntilMs, sendsPausedBecause' }
      : {
          update: 'SET sendsPausedUntilMs = :until, sendsPausedBecause = :code',
          values: { ':until': pause.untilMs, ':code': pause.code },
        },
  );
}
