import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { AddressGuard } from '../../../shared/platform/addressGuard.ts';
import { ANSWER_KEPT_BYTES, AnswerText } from '../../../shared/webhook/answerText.ts';
import { makeWebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { startReceiver } from './receiver.ts';

const textOf = (chunks: readonly Uint8Array[], encoding?: string): string | undefined => {
  const text = new AnswerText(encoding);
  for (const chunk of chunks) text.add(chunk);
  return text.text();
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('what is kept of an answer', () => {
  it.each([
    { name: 'a text', chunks: [bytes('no such '), bytes('hook')], text: 'no such hook' },
    { name: 'lines', chunks: [bytes('{\r\n\t"error": 1\n}')], text: '{\r\n\t"error": 1\n}' },
    { name: 'any script', chunks: [bytes('déjà vu, 你好, مرحبا 👋')], text: 'déjà vu, 你好, مرحبا 👋' },
    { name: 'nothing', chunks: [], text: undefined },
    { name: 'bytes that are no text', chunks: [Uint8Array.of(0xff, 0xfe, 0x41)], text: undefined },
    { name: 'a character that is cut by the end of the answer', chunks: [Uint8Array.of(0x41, 0xc3)], text: undefined },
    { name: 'a NUL', chunks: [bytes('a\u0000b')], text: undefined },
    { name: 'the colours of a terminal', chunks: [bytes('\u001b[31mred')], text: undefined },
    { name: 'marks that turn the direction', chunks: [bytes('a\u202eb')], text: undefined },
  ])('of $name', ({ chunks, text }) => {
    expect(textOf(chunks)).toBe(text);
  });

  it('is nothing of a body that is packed', () => {
    expect(textOf([bytes('text')], 'gzip')).toBeUndefined();
    expect(textOf([bytes('text')], 'identity')).toBe('text');
  });

  it('is a kilobyte at most, and ends with a whole character', () => {
    expect(textOf([bytes('ä'.repeat(600))])).toBe('ä'.repeat(512));
    expect(textOf([bytes(`a${'ä'.repeat(600)}`)])).toBe(`a${'ä'.repeat(511)}`);
  });

  it('never is longer, holds what nobody can read, or depends on how the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 6 }), (chunks) => {
        const text = textOf(chunks);

        expect(text).toBe(textOf([Buffer.concat(chunks)]));
        if (text === undefined) return;
        expect(bytes(text).length).toBeLessThanOrEqual(ANSWER_KEPT_BYTES);
        expect(text).not.toMatch(/[^\P{C}\t\n\r]/u);
      }),
    );
  });
});

describe('the answer of a receiver', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  });
  const post = async (...given: Parameters<typeof startReceiver>) => {
    const receiver = await startReceiver(...given);
    const guard = new AddressGuard({ resolve: () => Promise.resolve([]), allowLoopback: true });
    const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
    cleanups.push(receiver.stop, poster.close);
    return poster.post(receiver.url, {}, '{}');
  };

  it('is kept with its outcome', async () => {
    const outcome = await post((_request, response) => response.writeHead(500).end('out of order'));

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 500, answer: 'out of order' });
  });

  it('is kept as far as it has come, of one that never ends', async () => {
    const outcome = await post((_request, response) => {
      response.writeHead(500).write('the beginning');
    });

    expect(outcome).toMatchObject({ outcome: 'answered', httpStatus: 500, answer: 'the beginning' });
  });

  it('is its first kilobyte, of one that goes on and on', async () => {
    const outcome = await post((_request, response) => response.writeHead(500).end('x'.repeat(1_000_000)));

    expect(outcome).toMatchObject({ outcome: 'answered', answer: 'x'.repeat(ANSWER_KEPT_BYTES) });
  });
});
