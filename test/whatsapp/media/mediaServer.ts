import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Faults } from '../faults.ts';
import { sendBody } from './faultyBody.ts';
import { folderOf } from './fileKinds.ts';
import type { FileStore, StoredFile, Taken } from './fileStore.ts';
import { concernsRequest, type BodyFault, type MediaRequest } from './mediaFaults.ts';
import type { LoggedRequest, MediaLog } from './mediaLog.ts';
import type { MediaTokens } from './mediaTokens.ts';
import { rangeOf } from './range.ts';
import { Broken, takeBody } from './takenBody.ts';

/**
 * The media hosts: uploads with a token of `media_conn`, downloads by link. WhatsApp has them on https; here it is plain HTTP
 * on loopback, on two ports that serve the same files.
 *
 * Requests are told by their paths: `POST /mms/{type}/{hash}` and `POST /newsletter/newsletter-{type}/{hash}` with `auth` and
 * `token`, `DELETE` of the same, and `GET {direct path}`.
 */
export interface MediaContext {
  readonly store: FileStore;
  readonly tokens: MediaTokens;
  readonly faults: Faults;
  readonly log: MediaLog;
  /** The hosts as clients are told them: host and port. */
  readonly hosts: readonly string[];
}

const UPLOAD = /^\/(mms|newsletter)\/([a-z-]+)\/([\w%=-]+)$/;
const MAXIMUM_BYTES = 2 * 1024 ** 3 + 4_096;

/** An upload that is well-formed and may go on. */
interface Upload {
  readonly type: string;
  readonly sha256: string;
  readonly number: string;
  readonly from: number;
}

export function makeMediaHandler(context: MediaContext, host: number) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const upload = UPLOAD.exec(pathname);
    const exchange = new Exchange(context, host, request, response);
    if (upload === null) await download(exchange);
    else if (request.method === 'POST' || request.method === 'DELETE') {
      const [, folder = '', type = '', name = ''] = upload;
      const checked = checkUpload(context, folder, type, name, searchParams);
      if ('refused' in checked) {
        await takeBody(request, undefined);
        exchange.refuse({ ...NOBODY, type, on: 'upload' }, checked.refused, checked.sentence);
      } else if (request.method === 'DELETE') remove(exchange, checked);
      else if (searchParams.get('resume') === '1') await resume(exchange, checked);
      else await receive(exchange, checked);
    } else exchange.refuse({ ...NOBODY, on: 'download' }, 404, 'There is nothing here.');
  };
}

type Checked = Upload | { readonly refused: number; readonly sentence: string };

function checkUpload(
  context: MediaContext,
  folder: string,
  type: string,
  name: string,
  query: URLSearchParams,
): Checked {
  const owner = context.tokens.check(query.get('auth'));
  if ('refused' in owner) {
    return { refused: owner.refused, sentence: 'The upload carries no auth that is good now. Ask for media_conn.' };
  }
  if (folderOf(type) === undefined || (folder === 'newsletter') !== type.startsWith('newsletter-')) {
    return { refused: 404, sentence: `Nothing is uploaded under /${folder}/${type}.` };
  }
  const hash = bytesOf(name);
  if (hash?.length !== 32) return { refused: 400, sentence: 'The path ends with no SHA-256 in base64url.' };
  if (bytesOf(query.get('token') ?? '')?.equals(hash) !== true) {
    return { refused: 400, sentence: 'The token is not the hash in the path.' };
  }
  const from = Number(query.get('file_offset') ?? 0);
  if (!Number.isSafeInteger(from) || from < 0) return { refused: 400, sentence: 'The offset is no number of bytes.' };
  return { type, sha256: hash.toString('hex'), number: owner.number, from };
}

const NOBODY = { type: '', number: '', sha256: '' } as const;

/** One request and its answer: strikes it, answers it, and writes it into the log. */
class Exchange {
  readonly context: MediaContext;
  readonly host: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;

  constructor(context: MediaContext, host: number, request: IncomingMessage, response: ServerResponse) {
    this.context = context;
    this.host = host;
    this.request = request;
    this.response = response;
  }

  /** Does what a fault says instead of an answer. Returns whether one did. */
  async isStruck(on: MediaRequest['on'], of: Named): Promise<boolean> {
    const { faults } = this.context;
    const asked = { on, host: this.host, type: of.type, sha256: of.sha256 };
    if (faults.take('media_dead', of.number, (fault) => concernsRequest(fault, asked)) !== undefined) {
      this.breakOff({ ...of, on });
      return true;
    }
    const refusal = faults.take('media_refuse', of.number, (fault) => concernsRequest(fault, asked));
    if (refusal === undefined) return false;
    const { status, retryAfterSeconds, location, early } = refusal;
    const bytes = on === 'upload' && early !== true ? await takeBody(this.request, undefined) : 0;
    const headers = {
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(location === undefined ? {} : { location: this.#locate(location) }),
      ...(early === true ? { connection: 'close' } : {}),
    };
    this.refuse({ ...of, on, bytes }, status, 'A fault says so.', headers);
    return true;
  }

  bodyFault(on: MediaRequest['on'], of: Named): BodyFault | undefined {
    const asked = { on, host: this.host, type: of.type, sha256: of.sha256 };
    return this.context.faults.take('media_body', of.number, (fault) => concernsRequest(fault, asked));
  }

  refuse(of: Noted, status: number, error: string, headers: Readonly<Record<string, string>> = {}): void {
    this.note(of, status);
    this.#send(status, { error: { code: status, message: error } }, headers);
  }

  answer(of: Noted, body: object): void {
    this.note(of, 200);
    this.#send(200, body, {});
  }

  breakOff(of: Noted): void {
    this.note(of, 0);
    this.response.destroy();
    this.request.destroy();
  }

  note({ on, type, number, sha256, bytes = 0 }: Noted, status: number): void {
    const { range, origin } = this.request.headers;
    this.context.log.note({ on, host: this.host, status, type, number, sha256, bytes, range, origin });
  }

  #send(status: number, body: object, headers: Readonly<Record<string, string>>): void {
    if (this.response.destroyed) return;
    this.response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }

  #locate(location: string): string {
    return location === 'other_host' ? `https://${this.context.hosts[1 - this.host]}${this.request.url}` : location;
  }
}

type Named = Pick<LoggedRequest, 'type' | 'number' | 'sha256'>;
type Noted = Named & Pick<LoggedRequest, 'on'> & { readonly bytes?: number };

/** What a client is told of a file that it uploaded. */
function placeOf({ context, host }: Exchange, file: StoredFile) {
  const path = context.store.pathOf(file);
  return {
    url: `https://${context.hosts[host]}${path}&mms3=true`,
    direct_path: path,
    ...(file.handle === undefined ? {} : { handle: file.handle }),
  };
}

async function receive(exchange: Exchange, upload: Upload): Promise<void> {
  const { context, request } = exchange;
  const { type, sha256, number, from } = upload;
  if (await exchange.isStruck('upload', upload)) return;
  const fault = exchange.bodyFault('upload', upload);
  const body = { bytes: 0 };
  const length = Number(request.headers['content-length'] ?? 0);
  let taken: Taken;
  try {
    const chunks = takenChunks(request, fault, length, body);
    taken = await context.store.take(chunks, { type, by: number, sha256, from, maximumBytes: MAXIMUM_BYTES });
  } catch (error) {
    if (!(error instanceof Broken) && !request.destroyed) throw error;
    exchange.breakOff({ ...upload, on: 'upload', bytes: body.bytes });
    return;
  }
  const noted = { ...upload, on: 'upload', bytes: body.bytes } as const;
  if ('refused' in taken) {
    const [status, sentence] = REFUSALS[taken.refused];
    exchange.refuse(noted, status, sentence);
  } else if (fault?.how === 'hang') exchange.note(noted, 0);
  else if (fault?.how === 'no_link') exchange.answer(noted, {});
  else exchange.answer(noted, placeOf(exchange, taken.file));
}

const REFUSALS = {
  too_large: [413, 'The file is larger than 2 GB.'],
  other_hash: [400, 'The file does not have the hash in its path.'],
  other_part: [416, 'The part does not begin where the one before ended.'],
  empty: [400, 'There is no file.'],
} as const satisfies Record<Extract<Taken, { refused: unknown }>['refused'], readonly [number, string]>;

async function* takenChunks(
  request: IncomingMessage,
  fault: BodyFault | undefined,
  length: number,
  body: { bytes: number },
): AsyncGenerator<Buffer> {
  const breaksAt = fault?.how === 'cut' ? (fault.afterBytes ?? Math.floor(length / 2)) : Infinity;
  const slowMs = fault?.how === 'slow' ? 1_000 / fault.bytesPerSecond : 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    body.bytes += chunk.length;
    yield chunk;
    if (body.bytes >= breaksAt) throw new Broken('a fault says so');
    if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(60_000, chunk.length * slowMs)));
  }
  if (!request.complete) throw new Broken('the client went away');
}

/** Says whether the file is there, or how much of it: the form is believed, and nobody has verified it. */
async function resume(exchange: Exchange, upload: Upload): Promise<void> {
  const { store } = exchange.context;
  await takeBody(exchange.request, undefined);
  const noted = { ...upload, on: 'resume' } as const;
  const file = store.known(upload.type, upload.sha256);
  if (file !== undefined) exchange.answer(noted, { resume: 'COMPLETE', ...placeOf(exchange, file) });
  else exchange.answer(noted, { resume: await store.partOf(upload.type, upload.sha256) });
}

function remove(exchange: Exchange, upload: Upload): void {
  const noted = { ...upload, on: 'delete' } as const;
  if (exchange.context.store.expire(upload.sha256, 404) > 0) exchange.answer(noted, {});
  else exchange.refuse(noted, 404, 'There is no such file.');
}

async function download(exchange: Exchange): Promise<void> {
  const { context, request, response } = exchange;
  const { store } = context;
  const path = request.url ?? '/';
  const query = new URL(path, 'http://localhost').searchParams;
  const found = store.find(path);
  const known = 'file' in found ? nameOf(found.file) : NOBODY;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    exchange.refuse({ ...known, on: 'download' }, 405, 'Files are fetched with GET.');
    return;
  }
  if (await exchange.isStruck('download', known)) return;
  if ('refused' in found) {
    exchange.refuse(
      { ...known, on: 'download' },
      found.refused,
      'There is no such file, or its link is no longer good.',
    );
    return;
  }
  const { file } = found;
  if (!saysWhatItIs(query, file)) {
    exchange.refuse({ ...known, on: 'download' }, 400, 'The link says another hash or kind than the file has.');
    return;
  }
  const part = rangeOf(request.headers.range, file.bytes);
  if (part === undefined) {
    exchange.refuse({ ...known, on: 'download' }, 416, 'There is no such part.', {
      'content-range': `bytes */${file.bytes}`,
    });
    return;
  }
  const fault = request.method === 'GET' ? exchange.bodyFault('download', known) : undefined;
  const sent = await sendBody(request, response, store, file, part, fault);
  exchange.note({ ...known, on: 'download', bytes: sent.bytes }, sent.isWhole ? response.statusCode : 0);
}

const nameOf = ({ type, sha256, by }: StoredFile): Named => ({ type, sha256, number: by });

/** What a client adds to the link, if it does, must be so. */
function saysWhatItIs(query: URLSearchParams, file: StoredFile): boolean {
  const hash = query.get('hash');
  const type = query.get('mms-type');
  return (
    (hash === null || bytesOf(hash)?.toString('hex') === file.sha256) && (type === null || folderOf(type) !== undefined)
  );
}

/** Bytes in base64url, with or without padding; undefined for anything else. */
function bytesOf(text: string): Buffer | undefined {
  const plain = decodeURIComponent(text).replace(/={0,2}$/, '');
  return /^[\w-]+$/.test(plain) ? Buffer.from(plain, 'base64url') : undefined;
}
