import type { IncomingMessage } from 'node:http';

/** A body that does not come to its end. */
export class Broken extends Error {}

/** Reads a body to its end and lets go of it. Returns how long it was; what its sender broke off counts as far as it came. */
export async function takeBody(request: IncomingMessage, maximumBytes = Infinity): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maximumBytes) break;
    }
  } catch {
    // The sender went away.
  }
  return bytes;
}
