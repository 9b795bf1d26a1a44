/**
 * Reads one answer of HTTP/1.1 from the bytes of a connection, which may be cut anywhere. It knows what a store may say
 * and nothing more: a length, chunks, or a body that ends with the connection; and it is strict, because a connection on
 * which an answer was taken for longer or shorter than it is would give the next caller somebody else's answer. Whatever
 * it cannot read for sure is an error, after which the connection is not used again.
 */
export interface HttpAnswer {
  readonly status: number;
  /** The values by name, in lower case; those of a name that comes twice are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The bytes are no answer of HTTP/1.1 that we know how to read. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
  /** The code of a protocol that was broken, as Node has it. */
  readonly code = 'EPROTO';
}

/** The most that a head may take, in bytes; Node's own limit is 16 KiB. */
const HEAD_BYTES = 65_536;
/** The most that a body may take, in bytes; DynamoDB answers at most 16 MB of items. */
const BODY_BYTES = 67_108_864;
const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The length of the body in bytes, or how its end is found. */
  readonly body: number | 'chunks' | 'until_close';
  readonly keepsAlive: boolean;
}

export class AnswerReader {
  #head: Head | undefined;
  /** What has come and is not read yet: a part of a head, of a line between chunks, or nothing. */
  #unread: Buffer = NOTHING;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #isDone = false;
  /** What comes next of a body in chunks. */
  #next: 'length' | 'chunk' | 'chunk_end' | 'trailer' = 'length';
  /** What is left of the present chunk, in bytes. */
  #chunkLeft = 0;

  /** Whether the head of the answer has come. */
  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  /** Whether the connection may carry another request, once the answer is read. */
  get keepsAlive(): boolean {
    return this.#isDone && this.#head?.keepsAlive === true && this.#unread.length === 0;
  }

  /** Takes the next bytes. Returns the answer once it is whole. Throws {@link UnreadableAnswerError}. */
  push(piece: Buffer): HttpAnswer | undefined {
    let bytes = this.#unread.length === 0 ? piece : Buffer.concat([this.#unread, piece]);
    this.#unread = NOTHING;
    while (this.#head === undefined) {
      const end = bytes.indexOf(HEAD_END);
      if (end > HEAD_BYTES || (end < 0 && bytes.length > HEAD_BYTES)) throw unreadable('its head is too long');
      if (end < 0) {
        this.#unread = bytes;
        return undefined;
      }
      const head = readHead(bytes.toString('latin1', 0, end));
      bytes = bytes.subarray(end + HEAD_END.length);
      // An answer of 1xx comes before the one that counts.
      if (head.status >= 200) this.#head = head;
    }
    if (this.#head.body === 'chunks') this.#takeChunks(bytes);
    else this.#take(bytes, this.#head.body);
    return this.#isDone ? this.#answer(this.#head) : undefined;
  }

  /** Takes the end of the connection. Returns the answer if that was its end, too. */
  end(): HttpAnswer | undefined {
    if (this.#head?.body !== 'until_close') return undefined;
    return this.#answer(this.#head);
  }

  #take(bytes: Buffer, length: number | 'until_close'): void {
    const wanted = length === 'until_close' ? bytes.length : Math.min(bytes.length, length - this.#bytes);
    this.#keep(wanted === bytes.length ? bytes : bytes.subarray(0, wanted));
    this.#unread = wanted === bytes.length ? NOTHING : bytes.subarray(wanted);
    this.#isDone = this.#bytes === length;
  }

  #takeChunks(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isDone) {
      if (this.#next === 'chunk') {
        const upTo = Math.min(bytes.length, at + this.#chunkLeft);
        this.#keep(bytes.subarray(at, upTo));
        this.#chunkLeft -= upTo - at;
        at = upTo;
        if (this.#chunkLeft === 0) this.#next = 'chunk_end';
      } else {
        const end = bytes.indexOf('\r\n', at);
        if (end < 0) break;
        this.#readLine(this.#next, bytes.toString('latin1', at, end));
        at = end + 2;
      }
    }
    this.#unread = bytes.subarray(at);
    if (!this.#isDone && this.#unread.length > HEAD_BYTES) throw unreadable('a line of it is too long');
  }

  #readLine(what: 'length' | 'chunk_end' | 'trailer', line: string): void {
    if (what === 'trailer') this.#isDone = line === '';
    else if (what === 'chunk_end') {
      if (line !== '') throw unreadable('a chunk is longer than it says');
      this.#next = 'length';
    } else {
      const [, digits] = /^([\da-f]{1,7})(?:[ \t]*;.*)?$/i.exec(line) ?? [];
      if (digits === undefined) throw unreadable('a chunk has no length');
      this.#chunkLeft = Number.parseInt(digits, 16);
      this.#next = this.#chunkLeft === 0 ? 'trailer' : 'chunk';
    }
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > BODY_BYTES) throw unreadable('its body is too long');
    this.#parts.push(part);
  }

  #answer({ status, headers }: Head): HttpAnswer {
    const [only = NOTHING] = this.#parts;
    const body = this.#parts.length <= 1 ? only : Buffer.concat(this.#parts);
    return { status, headers, text: body.toString('utf8') };
  }
}

function readHead(text: string): Head {
  const lines = text.split('\r\n');
  const [, minor, digits] = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(lines[0] ?? '') ?? [];
  if (digits === undefined) throw unreadable('it does not begin like one');
  const headers: Record<string, string> = {};
  for (let at = 1; at < lines.length; at += 1) addHeader(headers, lines[at] ?? '');
  const status = Number(digits);
  const says = headers['connection']?.toLowerCase() ?? (minor === '1' ? 'keep-alive' : 'close');
  return { status, headers, body: bodyOf(status, headers), keepsAlive: minor === '1' && !says.includes('close') };
}

function addHeader(headers: Record<string, string>, line: string): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).toLowerCase();
  // A line that begins with a space would go on with the one before; nobody has been allowed to write that for long.
  if (colon < 1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw unreadable('it has a line that is no header');
  const value = line.slice(colon + 1).trim();
  const before = headers[name];
  headers[name] = before === undefined ? value : `${before}, ${value}`;
}

function bodyOf(status: number, headers: Readonly<Record<string, string>>): Head['body'] {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  if (length !== undefined && encoding !== undefined) throw unreadable('it has two lengths');
  if (status < 200 || status === 204 || status === 304) return 0;
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked') throw unreadable('it is encoded in a way that is not known');
    return 'chunks';
  }
  if (length === undefined) return 'until_close';
  if (!/^\d{1,15}$/.test(length)) throw unreadable('its length is no number');
  return Number(length);
}

function unreadable(why: string): UnreadableAnswerError {
  return new UnreadableAnswerError(`the answer cannot be read: ${why}`);
}
