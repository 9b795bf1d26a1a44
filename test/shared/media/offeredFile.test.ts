import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFileName, toOfferedFile } from '../../../shared/media/offeredFile.ts';

const offered = (contentType: string, shownInline = true, filename?: string) =>
  toOfferedFile({ contentType, shownInline, ...(filename === undefined ? {} : { filename }) });

describe('a file that is offered', () => {
  it.each([
    ['image/jpeg', 'image/jpeg', 'inline'],
    ['IMAGE/PNG', 'image/png', 'inline'],
    ['audio/ogg; codecs=opus', 'audio/ogg', 'inline'],
    ['video/mp4', 'video/mp4', 'inline'],
    ['application/pdf', 'application/pdf', 'attachment'],
    ['text/plain; charset=utf-8', 'text/plain', 'attachment'],
    ['application/zip', 'application/zip', 'attachment'],
    ['image/svg+xml', 'application/octet-stream', 'attachment'],
    ['text/html', 'application/octet-stream', 'attachment'],
    ['application/xhtml+xml', 'application/octet-stream', 'attachment'],
    ['text/xml', 'application/octet-stream', 'attachment'],
    ['application/javascript', 'application/octet-stream', 'attachment'],
    ['multipart/related', 'application/octet-stream', 'attachment'],
    ['image/jpeg\r\nX-Evil: 1', 'application/octet-stream', 'attachment'],
    ['image/jpeg, text/html', 'application/octet-stream', 'attachment'],
    ['constructor', 'application/octet-stream', 'attachment'],
    ['', 'application/octet-stream', 'attachment'],
  ])('that is said to be %j is %s and %s', (contentType, type, disposition) => {
    expect(offered(contentType)).toEqual({ type, disposition });
    expect(offered(contentType, false)).toEqual({ type, disposition: 'attachment' });
  });

  it.each([
    ['offer.pdf', 'filename="offer.pdf"'],
    ['Angebot für Jörg.pdf', `filename="Angebot f_r J_rg.pdf"; filename*=UTF-8''Angebot%20f%C3%BCr%20J%C3%B6rg.pdf`],
    ['請求書.pdf', `filename="___.pdf"; filename*=UTF-8''%E8%AB%8B%E6%B1%82%E6%9B%B8.pdf`],
    ['👍🏽.png', `filename="__.png"; filename*=UTF-8''%F0%9F%91%8D%F0%9F%8F%BD.png`],
    ['100%.txt', `filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    [`it's (1)!.txt`, `filename="it's (1)!.txt"`],
    ["é'*().txt", `filename="_'_().txt"; filename*=UTF-8''%C3%A9%27_%28%29.txt`],
    ['a";b\\c.exe', 'filename="a_;b_c.exe"'],
    ['..\\..\\.bashrc', 'filename="_.._.bashrc"'],
    ['x\r\nSet-Cookie: a=b', 'filename="x_Set-Cookie_ a=b"'],
    ['photo\u202egpj.exe', 'filename="photo_gpj.exe"'],
    ['\ud800half.txt', `filename="_half.txt"; filename*=UTF-8''%EF%BF%BDhalf.txt`],
  ])('named %j has it as %s', (filename, expected) => {
    expect(offered('application/pdf', false, filename).disposition).toBe(`attachment; ${expected}`);
  });

  it.each(['', '   ', '...', '. .'])('named %j has no name', (filename) => {
    expect(offered('image/png', true, filename).disposition).toBe('inline');
  });

  it('keeps the ending of a long name', () => {
    const name = toFileName('ä'.repeat(5_000));
    const ended = toFileName(`${'a'.repeat(1_000)}.tar.gz`);

    expect(Array.from(name)).toHaveLength(120);
    expect(ended).toBe(`${'a'.repeat(117)}.gz`);
  });

  it('is never anything but visible ASCII without a quote of a stranger, whatever it is called', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ unit: 'binary' }),
        (filename, contentType) => {
          const { type, disposition } = offered(contentType, true, filename);

          expect(disposition).toMatch(
            /^(?:attachment|inline)(?:; filename="[ !#-[\]-~]+"(?:; filename\*=UTF-8''(?:[\w.~-]|%[0-9A-F]{2})+)?)?$/,
          );
          expect(type).toMatch(/^[a-z]+\/[a-z0-9.-]+$/);
          expect(disposition.length).toBeLessThan(2_000);
        },
      ),
    );
  });
});
