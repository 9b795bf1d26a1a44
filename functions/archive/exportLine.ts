import type { LineKind } from '../../shared/archive/archiveJob.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';

/** A line of an export, with its end. */
export interface ExportLine {
  readonly kind: LineKind;
  readonly text: string;
}

/** Makes a line. What is undefined is left out. */
export function toLine(kind: LineKind, connectionId: ConnectionId, said: object): ExportLine {
  return { kind, text: `${JSON.stringify({ kind, connectionId, ...said })}\n` };
}
