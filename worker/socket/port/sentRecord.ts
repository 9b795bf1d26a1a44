import type { OutboundContent } from '../../../shared/message/content.ts';
import type { Addressed } from '../../../shared/message/recipient.ts';

/** A message that was sent. */
export interface SentOnce extends Addressed {
  /** When it was sent, or accepted where that is not known. */
  readonly atMs: number;
}

/** The same with what it said. */
export interface SentRecord extends SentOnce {
  readonly content: OutboundContent;
}
