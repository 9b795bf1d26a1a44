import type { Addressed } from '../../../shared/message/recipient.ts';

/** A message that was sent. */
export interface SentOnce extends Addressed {
  /** The time at which it was sent, or accepted where that is not known. */
  readonly atMs: number;
  /** All addresses of those whom it was for, if it is a status. */
  readonly viewers?: ReadonlySet<string> | undefined;
}
