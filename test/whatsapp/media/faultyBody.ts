import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileStore, StoredFile } from './fileStore.ts';
import type { BodyFault } from './mediaFaults.ts';
import type { Part } from './range.ts';

/** How a download ended. */
export interface Sent {
  readonly bytes: number;
  readonly isWhole: boolean;
}

const EXTRA_BYTES = 1_024;
const NOISE = Buffer.alloc(65_536, 0x5a);
/** How long a slow body rests between two pieces. */
const STEP_MS = 50;

/** Sends a file, or a part of it, or what a fault makes of it. It ends when the body does, or when the client goes away. */
export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  store: FileStore,
  file: StoredFile,
  part: Part,
  fault: BodyFault | undefined,
): Promise<Sent> {
  const length = part.end - part.start + 1;
  const at = fault?.afterBytes ?? Math.floor(length / 2);
  response.writeHead(part.isWhole ? 200 : 206, headersOf(file, part, fault, lengthSaid(length, at, fault)));
  if (request.method === 'HEAD') {
    response.end();
    return { bytes: 0, isWhole: true };
  }
  let bytes = 0;
  /** Writes a piece and waits until there is room for the next. Returns false once nobody takes it. */
  const write = async (piece: Uint8Array): Promise<boolean> => {
    if (response.destroyed) return false;
    bytes += piece.length;
    return response.write(piece) || (await happens(response, 'drain'));
  };
  for await (const piece of piecesOf(store, file, part, fault, at)) {
    if (!(await write(piece))) return { bytes, isWhole: false };
    if (fault?.how === 'slow') await sleep(STEP_MS);
  }
  if (fault?.how === 'cut') response.destroy();
  if (fault?.how === 'hang') await happens(response, 'close');
  if (fault?.how === 'endless') while (await write(NOISE));
  if (response.destroyed) return { bytes, isWhole: false };
  response.end();
  return { bytes, isWhole: response.writableFinished || (await happens(response, 'finish')) };
}

/** Waits for something that a response does. Returns false when its client goes away before. */
function happens(response: ServerResponse, event: 'drain' | 'finish' | 'close'): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(event === 'close');
  return new Promise((resolve) => {
    const onEvent = (): void => {
      response.off('close', onClose);
      resolve(true);
    };
    const onClose = (): void => {
      response.off(event, onEvent);
      resolve(event === 'close');
    };
    response.once(event, onEvent);
    response.once('close', onClose);
  });
}

/** The length that the answer says; none where the body never ends. */
function lengthSaid(length: number, at: number, fault: BodyFault | undefined): number | undefined {
  if (fault?.how === 'endless') return undefined;
  if (fault?.how === 'short') return Math.min(at, length);
  return fault?.how === 'long' ? length + EXTRA_BYTES : length;
}

function headersOf(file: StoredFile, part: Part, fault: BodyFault | undefined, length: number | undefined) {
  return {
    'content-type': file.type === 'picture' ? 'image/jpeg' : 'application/octet-stream',
    'accept-ranges': 'bytes',
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...(part.isWhole ? {} : { 'content-range': `bytes ${part.start}-${part.end}/${file.bytes}` }),
    ...(fault === undefined ? {} : { connection: 'close' }),
  };
}

async function* piecesOf(
  store: FileStore,
  file: StoredFile,
  part: Part,
  fault: BodyFault | undefined,
  at: number,
): AsyncGenerator<Buffer> {
  const endsEarly = fault?.how === 'short' || fault?.how === 'cut' || fault?.how === 'hang';
  const end = endsEarly ? Math.min(part.end, part.start + at - 1) : part.end;
  let before = 0;
  if (end >= part.start) {
    for await (const chunk of store.read(file, { start: part.start, end })) {
      const isHit = fault?.how === 'corrupt' && at >= before && at < before + chunk.length;
      if (isHit) chunk[at - before] = (chunk[at - before] ?? 0) ^ 1;
      before += chunk.length;
      yield* fault?.how === 'slow' ? inSteps(chunk, fault.bytesPerSecond) : [chunk];
    }
  }
  if (fault?.how === 'long') yield NOISE.subarray(0, EXTRA_BYTES);
}

function* inSteps(chunk: Buffer, bytesPerSecond: number): Generator<Buffer> {
  const step = Math.max(1, Math.floor((bytesPerSecond * STEP_MS) / 1_000));
  for (let from = 0; from < chunk.length; from += step) yield chunk.subarray(from, from + step);
}
