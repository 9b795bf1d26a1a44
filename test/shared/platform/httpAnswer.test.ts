import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader, UnreadableAnswerError, type HttpAnswer } from '../../../shared/platform/httpAnswer.ts';

interface Reading {
  readonly answer: HttpAnswer | undefined;
  readonly keepsAlive: boolean;
}

/** What a reader makes of these pieces, and of the end of the connection if that comes. */
function read(pieces: readonly Buffer[], ends = false): Reading {
  const reader = new AnswerReader();
  const answers = pieces.map((piece) => reader.push(piece));
  if (answers.slice(0, -1).some((answer) => answer !== undefined))
    throw new Error('it was whole before its last piece');
  return { answer: answers.at(-1) ?? (ends ? reader.end() : undefined), keepsAlive: reader.keepsAlive };
}

function outcomeOf(reading: () => unknown): unknown {
  try {
    reading();
    return 'read';
  } catch (error) {
    return error;
  }
}

const readText = (text: string, ends = false): Reading => read([Buffer.from(text)], ends);

function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].filter((place) => place > 0).sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const chunked = (parts: readonly Buffer[]): Buffer =>
  Buffer.concat([
    ...parts.map((part) =>
      Buffer.concat([Buffer.from(`${part.length.toString(16)};x=y\r\n`), part, Buffer.from('\r\n')]),
    ),
    Buffer.from('0\r\ntrailer: t\r\n\r\n'),
  ]);

describe('the answer to a request', () => {
  it('is read up to its length, with its status and its headers', () => {
    const { answer, keepsAlive } = readText(
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\nX-Amzn-RequestId:  r1 \r\nVia: a\r\nvia: b\r\n\r\nkäse!',
    );

    expect(answer).toEqual({
      status: 400,
      headers: { 'content-length': '6', 'x-amzn-requestid': 'r1', via: 'a, b' },
      text: 'käse!',
    });
    expect(keepsAlive).toBe(true);
  });

  it('is the same wherever its bytes are cut, with a length or in chunks (whatever it says)', () => {
    const bodies = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), { maxLength: 5 });
    const cuts = fc.array(fc.nat(), { maxLength: 12 });

    fc.assert(
      fc.property(bodies, cuts, fc.boolean(), (texts, places, inChunks) => {
        const parts = texts.map((text) => Buffer.from(text));
        const body = inChunks ? chunked(parts) : Buffer.concat(parts);
        const how = inChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        const whole = Buffer.concat([
          Buffer.from(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${how}\r\n\r\n`),
          body,
        ]);

        const { answer, keepsAlive } = read(cutAt(whole, places));

        expect(answer).toMatchObject({ status: 200, text: Buffer.concat(parts).toString('utf8') });
        expect(keepsAlive).toBe(true);
      }),
    );
  });

  it('ends with the connection when it says no length, and only then', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nall of it';

    expect(readText(text).answer).toBeUndefined();
    expect(readText(text, true)).toEqual({
      answer: { status: 200, headers: {}, text: 'all of it' },
      keepsAlive: false,
    });
    expect(readText('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', true).answer).toBeUndefined();
    expect(readText('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', true).answer).toBeUndefined();
  });

  it.each(['HTTP/1.1 204 No Content', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7'])('has no body: %s', (head) => {
    expect(readText(`${head}\r\n\r\n`).answer?.text).toBe('');
  });

  it.each([
    ['the answer says so', 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}'],
    ['the other side speaks an old version', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}'],
    ['more comes than was announced', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK'],
    ['more comes behind the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nX'],
  ])('is read, but its connection is not used again: %s', (_name, text) => {
    const { answer, keepsAlive } = readText(text);

    expect(answer?.text).toBe('{}');
    expect(keepsAlive).toBe(false);
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['a version that is not known', 'HTTP/2 200\r\n\r\n'],
    ['two lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}'],
    ['an encoding that is not known', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: 2\r\n\r\n'],
    ['a header that goes on', 'HTTP/1.1 200 OK\r\nVia: a\r\n b: c\r\n\r\n'],
    ['a chunk without a length', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}'],
    [
      'a chunk that is longer than it says',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n',
    ],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'x'.repeat(70_000)}`],
  ])('is refused: %s', (_name, text) => {
    expect(() => readText(text)).toThrow(UnreadableAnswerError);
  });

  it('is refused when it is longer than anything that a store says', () => {
    const reader = new AnswerReader();
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n'));
    const piece = Buffer.alloc(16_777_216);

    expect(() => {
      for (let sent = 0; sent < 900_000_000; sent += piece.length) reader.push(piece);
    }).toThrow(UnreadableAnswerError);
  });

  it('is read or refused, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (pieces) => {
        const reader = new AnswerReader();
        reader.push(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
        const outcome = outcomeOf(() => pieces.map((piece) => reader.push(Buffer.from(piece))));
        expect(outcome === 'read' || outcome instanceof UnreadableAnswerError).toBe(true);
      }),
    );
  });
});
