/**
 * The text of an event stream. Source: WHATWG HTML, "Server-sent events". A frame ends with an empty line. `id` is the
 * cursor behind the event: a client sends the last one that it has seen as `Last-Event-ID` when it connects again.
 */

/** How long clients wait before they connect again, in milliseconds. */
const RETRY_MS = 1_000;

/** Why a stream was ended by us. A client connects again, and goes on behind the last event that it has. */
export const streamEnds = {
  time: 'A stream lasts 14 minutes. Connect again.',
  draining: 'This process is being replaced. Connect again.',
  slow_reader: 'The events were not read in time. Connect again, and read faster or choose fewer of them.',
  place_lost: 'This process stood still for so long that its place was given to another stream. Connect again.',
  key_ended:
    'The API key of this stream has expired or was revoked, or its tenant is suspended. Connect with another one.',
  unavailable: 'The event log cannot be read at the moment. Connect again.',
} as const;
export type StreamEnd = keyof typeof streamEnds;

/** The first frame: how soon to connect again, and the place at which the stream begins. */
export function openingFrame(cursor: string): string {
  return `retry: ${RETRY_MS}\nid: ${cursor}\n\n`;
}

/** @param text the event as JSON, which has no line breaks */
export function eventFrame(cursor: string, type: string, text: string): string {
  return `id: ${cursor}\nevent: ${type}\ndata: ${text}\n\n`;
}

/** Keeps proxies from closing a connection on which nothing happens, and tells how far a filtered stream has come. */
export function beatFrame(cursor: string): string {
  return `: beat\nid: ${cursor}\n\n`;
}

/** Says that events between the last one that the client has and the next one are not kept any more. */
export function resetFrame(): string {
  const sentence =
    'Events after your last one are older than 30 days and gone. What follows is the oldest that is kept.';
  return `event: reset\ndata: ${JSON.stringify({ reason: 'too_old', sentence })}\n\n`;
}

export function endFrame(reason: StreamEnd): string {
  return `event: end\ndata: ${JSON.stringify({ reason, sentence: streamEnds[reason] })}\n\n`;
}
