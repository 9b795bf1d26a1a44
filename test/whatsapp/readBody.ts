import type { IncomingMessage } from 'node:http';

/** Reads a request to its end; undefined if it is longer than allowed. */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maximumBytes) chunks.push(chunk);
  }
  return size > maximumBytes ? undefined : Buffer.concat(chunks);
}
