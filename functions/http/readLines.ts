import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { z } from 'zod';
import { AppError, type FieldProblem } from '../../shared/kernel/appError.ts';
import { checkInput } from './checkInput.ts';
import { sentenceOf } from './fieldProblems.ts';

/**
 * A body of JSON lines: one object a line, in UTF-8, ended by LF or CRLF, the last one also by nothing, and packed by gzip if
 * the caller wants that. What strangers pack is unpacked up to a limit, and a line that is wrong is told by its number, which
 * counts from 1.
 */
export const LINES_TYPE = 'application/x-ndjson';
const LINES_TYPES = /^application\/(x-)?(ndjson|jsonl|jsonlines)\s*(;|$)/i;
/**
 * The bytes of the body as it comes. Lambda takes 6 MB of an event, in which the body is base64: a third more than it was.
 * Source: AWS Lambda quotas, "Invocation payload".
 */
export const LINES_BYTES = 4 * 1_024 * 1_024;
/** The bytes of it when it is unpacked, and of one line. */
export const UNPACKED_BYTES = 16 * 1_024 * 1_024;
export const LINE_BYTES = 64 * 1_024;
/** The most wrong lines that an answer names. */
export const MOST_WRONG_LINES = 20;
/** After so many lines others have their turn. */
const LINES_A_TURN = 250;

const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

const unpack = promisify(gunzip);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the lines, each as the schema accepts it, or as the `invalid_request` with which it refuses it. What follows so many
 * wrong lines that an answer names no more is left out. Throws `unsupported_media_type`, `payload_too_large`, and
 * `invalid_request` where there are none or too many.
 * @param schema of the list, which says how many lines there may be
 * @param lineBytes the bytes of one line
 */
export async function readLines(
  schema: z.ZodArray<z.ZodType>,
  body: Buffer,
  headers: Readonly<Record<string, string | undefined>>,
  lineBytes = LINE_BYTES,
): Promise<readonly unknown[]> {
  if (!LINES_TYPES.test(headers['content-type'] ?? '')) {
    const detail = `The body must be lines of JSON. Send the header Content-Type: ${LINES_TYPE}.`;
    throw new AppError('unsupported_media_type', { detail });
  }
  const lines = toLines(await unpacked(body, headers['content-encoding']));
  const { error } = schema.safeParse(
    lines.map(() => undefined),
    { error: sentenceOf, reportInput: true },
  );
  const many = error?.issues.find(({ path }) => path.length === 0);
  if (many !== undefined) throw wrong([{ field: 'lines', problem: `${many.message}; there are ${lines.length}` }]);
  const read: unknown[] = [];
  let wrongLines = 0;
  for (const [index, line] of lines.entries()) {
    if (index % LINES_A_TURN === 0) await nextTurn();
    try {
      read.push(readLine(schema.element, line, lineBytes));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      read.push(error);
      wrongLines += 1;
      if (wrongLines >= MOST_WRONG_LINES) break;
    }
  }
  return read;
}

function wrong(fields: readonly FieldProblem[]): AppError {
  return new AppError('invalid_request', { fields });
}

async function unpacked(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  if (body.length > LINES_BYTES) throw tooLarge();
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return body;
  if (encoding.toLowerCase() !== 'gzip') {
    const detail = 'The body may be packed by gzip alone. Send Content-Encoding: gzip, or none.';
    throw new AppError('unsupported_media_type', { detail });
  }
  try {
    return await unpack(body, { maxOutputLength: UNPACKED_BYTES });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new AppError('invalid_json', { cause: error, detail: 'The body is not what gzip makes.' });
  }
}

function tooLarge(): AppError {
  const detail =
    'The lines have more than 4 MB, or 16 MB when they are unpacked. Pack them by gzip (Content-Encoding: gzip), or send several requests.';
  return new AppError('payload_too_large', { detail });
}

/** The lines without their ends. What follows the last end is a line unless it is nothing. */
function toLines(bytes: Buffer): readonly Buffer[] {
  const isMarked = BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte);
  const lines: Buffer[] = [];
  for (let from = isMarked ? BYTE_ORDER_MARK.length : 0; from < bytes.length;) {
    const found = bytes.indexOf(LF, from);
    const end = found === -1 ? bytes.length : found;
    const withoutCr = end > from && bytes[end - 1] === CR ? end - 1 : end;
    lines.push(bytes.subarray(from, withoutCr));
    from = end + 1;
  }
  // Editors and scripts leave empty lines at the end.
  while (lines.at(-1)?.length === 0) lines.pop();
  return lines;
}

function readLine(schema: z.ZodType, line: Buffer, lineBytes: number): unknown {
  if (line.length === 0) throw wrong([{ field: '(body)', problem: 'is empty' }]);
  if (line.length > lineBytes) throw wrong([{ field: '(body)', problem: `at most ${lineBytes} bytes` }]);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(line));
  } catch {
    throw wrong([{ field: '(body)', problem: 'is not one JSON object in UTF-8' }]);
  }
  return checkInput(schema, value, 'body');
}
