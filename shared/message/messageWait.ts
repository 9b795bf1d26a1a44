import { z } from 'zod';
import type { Connection } from '../connection/connection.ts';
import { allWait, firstContactWait } from '../connection/pace.ts';
import { waitCodes, waitRules } from '../connection/paceWait.ts';
import { pauseCodes, pauseRules } from '../connection/sendsPause.ts';
import { readSettings, withDefaults } from '../connection/settings.ts';

/**
 * Why one message waits. What parked it is on its row, written with its parking; what holds now is on the record of its
 * connection. Both together say it when somebody asks, and nothing has to be taken back when it changes.
 */
export const parkReasons = {
  /** Nothing could be sent at all: the connection was away, or all its messages waited. */
  nothing_leaves: { isPaced: false },
  /** No message may leave for a new person. */
  first_contact: { isPaced: true },
  /** The chat of the message, or the connection, has had as many as the budget of a minute has. */
  chat_budget: { isPaced: true },
  budget: { isPaced: true },
  /** A look-up that it needs rests. */
  look_up: { isPaced: false },
  /** The people whom it is for are looked up, some at a time. */
  audience: { isPaced: false },
  /** The file of the message is on its way to WhatsApp, which ends by itself. */
  file: { isPaced: true },
  /** The last try had no answer. */
  no_answer: { isPaced: false },
  /** An earlier message of its chat waits. */
  chat_in_order: { isPaced: false },
} as const satisfies Record<string, { readonly isPaced: boolean }>;
export type ParkReason = keyof typeof parkReasons;

/** Whether a message waits because its connection keeps its pace, or for its file: nothing is wrong, for however long. */
export function isOfPace(reason: ParkReason | undefined): boolean {
  return reason !== undefined && parkReasons[reason].isPaced;
}

/** Why a message waits that waits for nothing which the connection shows: a stable code and one sentence for a tenant. */
export const turnRules = {
  connection_not_online: 'The connection is not online. The message leaves in its turn when it is.',
  chat_budget: 'Its chat has had as many messages in a minute as `messagesPerChatPerMinute` allows.',
  budget: 'The connection has sent as many messages in a minute as `messagesPerMinute` allows. It leaves in its turn.',
  audience: 'The people whom it is for are looked up, some at a time, and other messages leave between.',
  file: 'Its file, or that of an earlier message of its chat, is being fetched, prepared, or brought to WhatsApp.',
  no_answer:
    'WhatsApp did not answer when it was sent. It is sent again under the same id, before all later ones of its chat.',
  in_turn: 'It leaves in its turn, after what waited before it.',
} as const;
const turnCodes = Object.keys(turnRules) as (keyof typeof turnRules)[];

export const messageWaitSchema = z
  .object({
    code: z.enum([...turnCodes, ...waitCodes, ...pauseCodes]),
    sentence: z.string(),
    until: z.iso.datetime().optional().meta({ description: 'Not before; absent where nobody can say.' }),
  })
  .meta({ id: 'MessageWait' });
export type MessageWait = z.infer<typeof messageWaitSchema>;

type Holding = Pick<Connection, 'status' | 'sendsPausedUntilMs' | 'sendsPausedBecause' | 'pace' | 'settings'>;

/** Why every message of a connection waits that is online; undefined where some leave. The function is pure. */
export function waitOfAll(connection: Holding, nowMs: number): MessageWait | undefined {
  const { pace, sendsPausedUntilMs: pausedUntilMs = 0, sendsPausedBecause: because = 'sends_paused' } = connection;
  const braked = pace && allWait(pace, nowMs);
  if (braked !== undefined) return toWait(braked.code, waitRules[braked.code].sentence, braked.untilMs);
  if (pausedUntilMs <= nowMs || pauseRules[because].state !== 'paused') return undefined;
  return toWait(because, pauseRules[because].sentence, pausedUntilMs);
}

/** Why a parked message waits. The function is pure. @param reason what parked it */
export function waitOfMessage(reason: ParkReason | undefined, connection: Holding, nowMs: number): MessageWait {
  if (connection.status !== 'online') return ofTurn('connection_not_online');
  return waitOfAll(connection, nowMs) ?? waitOfReason(reason, connection, nowMs) ?? ofTurn('in_turn');
}

function waitOfReason(
  reason: ParkReason | undefined,
  { pace, settings, sendsPausedUntilMs: pausedUntilMs = 0, sendsPausedBecause: because }: Holding,
  nowMs: number,
): MessageWait | undefined {
  switch (reason) {
    case 'first_contact': {
      const wait = pace && firstContactWait(pace, withDefaults(readSettings(settings)).pace, nowMs);
      return wait && toWait(wait.code, waitRules[wait.code].sentence, wait.untilMs);
    }
    case 'look_up':
      return because === undefined || pausedUntilMs <= nowMs
        ? undefined
        : toWait(because, pauseRules[because].sentence, pausedUntilMs);
    case 'chat_budget':
    case 'budget':
    case 'audience':
    case 'file':
    case 'no_answer':
      return ofTurn(reason);
    default:
      return undefined;
  }
}

function ofTurn(code: keyof typeof turnRules): MessageWait {
  return { code, sentence: turnRules[code] };
}

function toWait(code: MessageWait['code'], sentence: string, untilMs: number): MessageWait {
  return { code, sentence, until: new Date(untilMs).toISOString() };
}
