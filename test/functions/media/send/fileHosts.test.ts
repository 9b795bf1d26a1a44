import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileHosts, uploadAddressOf, type UploadAnswer } from '../../../../functions/media/send/fileHosts.ts';
import { UploadHost, type Doing } from './uploadHost.ts';

const SEALED = Buffer.from('sealed bytes '.repeat(20_000));
const HASH = createHash('sha256').update(SEALED).digest('base64');
const TOKEN = 'a secret/token+of=the account';

describe("WhatsApp's hosts of files", () => {
  let first: UploadHost;
  let second: UploadHost;
  let hosts: FileHosts;
  beforeAll(async () => {
    [first, second] = await Promise.all([UploadHost.start(), UploadHost.start()]);
    hosts = new FileHosts({ origin: first.origin });
  });
  afterAll(async () => {
    await hosts.close();
    await Promise.all([first.stop(), second.stop()]);
  });

  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < SEALED.length; from += 60_000) yield SEALED.subarray(from, from + 60_000);
  }
  const upload = (ofFirst: Doing, ofSecond: Doing = 'take', signal = new AbortController().signal, plain = false) => {
    first.doing.splice(0, Infinity, ofFirst);
    second.doing.splice(0, Infinity, ofSecond);
    const file = { as: 'voice', plain, sha256: HASH, length: SEALED.length, bytes } as const;
    return hosts.upload({ hosts: [first.name, second.name], token: TOKEN }, file, signal);
  };

  it('take a file whole, under its hash, with the token', async () => {
    const answer = await upload('take');

    const name = Buffer.from(HASH, 'base64').toString('base64url');
    expect(answer).toEqual({
      answer: 'taken',
      url: `https://mmg.whatsapp.net/v/${name}`,
      directPath: `/v/${name}`,
    });
    const [taken] = first.uploads.slice(-1);
    expect(taken).toMatchObject({ path: `/mms/audio/${name}`, sha256: name, bytes: SEALED.length });
    expect([taken?.query.get('auth'), taken?.query.get('token')]).toEqual([TOKEN, name]);
  });

  it('take a file of a channel under a name of its own, and give its handle; one without is none', async () => {
    const [named, unnamed] = [
      await upload('take', 'take', undefined, true),
      await upload('no_handle', 'no_handle', undefined, true),
    ];

    const name = Buffer.from(HASH, 'base64').toString('base64url');
    expect(named).toMatchObject({ answer: 'taken', directPath: `/v/${name}`, handle: `handle of ${name}` });
    expect(first.uploads.at(-2)?.path).toBe(`/newsletter/newsletter-ptt/${name}`);
    expect(unnamed).toMatchObject({ answer: 'again' });
  });

  it.each<Doing>([500, 503, 429, 408, 302, 'no_place', 'no_json', 'endless', 'cut', 413])(
    'are asked one after the other: the first %s',
    async (doing) => {
      const before = second.uploads.length;

      expect(await upload(doing)).toMatchObject({ answer: 'taken' });
      expect(second.uploads.length).toBe(before + 1);
    },
  );

  it.each<[ofFirst: Doing, ofSecond: Doing, answer: Partial<UploadAnswer>]>([
    [401, 'take', { answer: 'token_refused' }],
    [403, 'take', { answer: 'token_refused' }],
    [413, 415, { answer: 'refused', status: 413 }],
    [413, 503, { answer: 'again' }],
    ['cut', 'no_place', { answer: 'again' }],
  ])('say what becomes of a file: %s, %s', async (ofFirst, ofSecond, answer) => {
    expect(await upload(ofFirst, ofSecond)).toMatchObject(answer);
  });

  it('tell the token to nobody who reads an error', async () => {
    const answer = await upload('cut', 'cut');

    expect(answer.answer).toBe('again');
    const { error } = answer as { readonly error: Error };
    expect(`${error.message} ${String(error.cause)} ${error.stack ?? ''}`).not.toContain('secret');
  });

  it('are given up when the caller gives up', async () => {
    const giving = new AbortController();
    const uploading = upload('hang', 'hang', giving.signal);
    setTimeout(() => giving.abort(new Error('enough')), 50);

    await expect(uploading).rejects.toThrow('enough');
  });

  it.each([
    'mmg.whatsapp.net',
    'media-fra3-1.cdn.whatsapp.net',
    'evil.example',
    'whatsapp.net.evil.example',
    'xwhatsapp.net',
    'mmg.whatsapp.net:8443',
    'user@mmg.whatsapp.net',
    'mmg.whatsapp.net/x?',
    '169.254.169.254',
    '',
  ])('are names of WhatsApp alone: %s', (host) => {
    const address = uploadAddressOf(host, { as: 'image', plain: false, sha256: HASH }, 'https://mmg.whatsapp.net');

    expect(address?.origin).toBe(
      /^(?:mmg|media-fra3-1\.cdn)\.whatsapp\.net$/.test(host) ? `https://${host}` : undefined,
    );
  });
});
