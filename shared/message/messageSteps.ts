import type { SentFileFacts } from '../media/sentFileFacts.ts';
import type { SendState } from './message.ts';
import type { SendErrorCode } from './sendError.ts';

/** The steps of a message of ours that are told, each once: the end of its sending, and what its recipient reports. */
export type StepName = 'result' | 'delivered' | 'read' | 'played';

/** Where the row of a message keeps who told a step, and as which event. */
export const toldAttributes = {
  result: 'resultTold',
  delivered: 'deliveredTold',
  read: 'readTold',
  played: 'playedTold',
} as const satisfies Record<StepName, string>;

/** What a step changes on the row of its message; a field that is undefined stays as it is. */
export interface MessageStep {
  /** The new state, where the step moves the message forward. */
  readonly state?: SendState | undefined;
  readonly sentAtMs?: number | undefined;
  readonly deliveredAtMs?: number | undefined;
  readonly readAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  readonly error?: SendErrorCode | undefined;
  readonly whatsappCode?: number | undefined;
  readonly toAlias?: string | undefined;
  readonly toSelf?: true | undefined;
  readonly members?: number | undefined;
  readonly statusBy?: 'first' | undefined;
  readonly sentFile?: SentFileFacts | undefined;
  /** The epoch under which a try failed: the row is changed only if no newer owner has tried the message. */
  readonly token?: number | undefined;
}
