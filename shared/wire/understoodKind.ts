import type { MediaFile } from '../content/mediaFile.ts';
import type { MessageInfo } from './messageInfo.ts';
import type { Level } from './unwrap.ts';
import type { Original } from './wireKey.ts';

/**
 * The way in which a kind is understood. Nothing here may throw, or trust anything: a stranger wrote these bytes. Fields of
 * the protocol are read by their shape (`shape.ts`), with the numbers of the protocol's version that `messageFields` names.
 */
export interface Understood<Body> {
  /** The numbers of the fields of `Message` that it comes in (`messageFields`). */
  readonly fields: readonly number[];
  /**
   * Reads the body from the fields. `nothing`: there is nothing to show, and the other fields of the message count.
   * @param info what stands beside the message
   */
  readonly fromWire: (parts: Level['parts'], info: MessageInfo) => Body | 'nothing' | 'malformed';
  /** The number of the context within each of its fields, or of each of them; left out where it has none. */
  readonly context?: number | Readonly<Record<number, number>>;
  /** What is needed to fetch the files in it, which is no part of the body; left out for a kind without files. */
  readonly files?: (parts: Level['parts'], info: MessageInfo) => readonly MediaFile[];
  /** The message that it is about, such as the one that a reaction is for; left out for a kind that stands for itself. */
  readonly original?: (parts: Level['parts'], info: MessageInfo) => Original | undefined;
}
