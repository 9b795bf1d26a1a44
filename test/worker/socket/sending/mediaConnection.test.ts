import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { HOST_CHARACTERS, MOST_HOSTS, TOKEN_CHARACTERS } from '../../../../shared/media/sendJob.ts';
import { NO_NUMBER } from '../../../../worker/socket/port/lookUpError.ts';
import { MediaConnection, readAnswer } from '../../../../worker/socket/sending/mediaConnection.ts';

/** An answer of WhatsApp, as whatsmeow and Baileys read it (`media_conn`). */
function anAnswer({
  attrs = {},
  hosts = ['mmg.whatsapp.net', 'mmg-fna.whatsapp.net'],
}: {
  readonly attrs?: Readonly<Record<string, string>>;
  readonly hosts?: readonly string[];
} = {}): BinaryNode {
  const content = hosts.map((hostname) => ({ tag: 'host', attrs: { hostname } }));
  return {
    tag: 'iq',
    attrs: { type: 'result' },
    content: [{ tag: 'media_conn', attrs: { auth: 'token', ttl: '300', auth_ttl: '21600', ...attrs }, content }],
  };
}

describe('where an account may upload files, as WhatsApp answers it', () => {
  it('is hosts in their order, and a token for the shorter of two times', () => {
    expect(readAnswer(anAnswer())).toEqual({
      hosts: ['mmg.whatsapp.net', 'mmg-fna.whatsapp.net'],
      token: 'token',
      seconds: 300,
    });
    expect(readAnswer(anAnswer({ attrs: { auth_ttl: '60' } }))?.seconds).toBe(60);
  });

  it.each<[what: string, attrs: Readonly<Record<string, string>>, seconds: number]>([
    ['is over at once', { ttl: '0' }, 10],
    ['lies before now', { ttl: '-5' }, 10],
    ['never ends', { ttl: '999999', auth_ttl: '999999' }, 3_600],
    ['is no number', { ttl: 'soon', auth_ttl: '' }, 10],
  ])('is used within bounds where its time %s', (_what, attrs, seconds) => {
    expect(readAnswer(anAnswer({ attrs }))?.seconds).toBe(seconds);
  });

  it('leaves out hosts that are too long or too many', () => {
    const many = Array.from({ length: 20 }, (_, place) => `host-${place}.whatsapp.net`);
    const long = 'x'.repeat(HOST_CHARACTERS + 1);

    expect(readAnswer(anAnswer({ hosts: [long, '', ...many] }))?.hosts).toEqual(many.slice(0, MOST_HOSTS));
  });

  it.each<[what: string, answer: BinaryNode]>([
    ['it names no host', anAnswer({ hosts: [] })],
    ['it has no token', anAnswer({ attrs: { auth: '' } })],
    ['its token is too long', anAnswer({ attrs: { auth: 'x'.repeat(TOKEN_CHARACTERS + 1) } })],
    ['it says something else', { tag: 'iq', attrs: {}, content: [{ tag: 'error', attrs: {} }] }],
    ['it is empty', { tag: 'iq', attrs: {} }],
    ['it is bytes', { tag: 'iq', attrs: {}, content: new Uint8Array(3) }],
  ])('is none where %s', (_what, answer) => {
    expect(readAnswer(answer)).toBeUndefined();
  });
});

describe('asking for it', () => {
  /** A connection at a WhatsApp that answers as it is told. */
  function aConnection(answers: readonly (BinaryNode | Error)[]) {
    const asked: BinaryNode[] = [];
    let nowMs = 0;
    const connection = new MediaConnection({
      socket: {
        query: (async (node: BinaryNode) => {
          const answer = answers[Math.min(asked.length, answers.length - 1)];
          asked.push(node);
          if (answer instanceof Error) throw answer;
          return answer;
        }) as never,
      },
      queryTimeoutMs: 1_000,
      makeTag: () => `tag-${asked.length}`,
      monotonicMs: () => nowMs,
    });
    return { connection, asked, pass: (ms: number): void => void (nowMs += ms) };
  }

  it('is done once, and again when the time of the answer is over', async () => {
    const { connection, asked, pass } = aConnection([anAnswer()]);

    const first = await connection.ask(false);
    pass(299_999);
    await connection.ask(false);
    const before = asked.length;
    pass(1);
    await connection.ask(false);

    expect(first).toEqual({ hosts: ['mmg.whatsapp.net', 'mmg-fna.whatsapp.net'], token: 'token' });
    expect([before, asked.length]).toEqual([1, 2]);
    expect(asked[0]).toMatchObject({ tag: 'iq', attrs: { xmlns: 'w:m', type: 'set', to: 's.whatsapp.net' } });
  });

  it('is done anew where the token is not taken any more', async () => {
    const { connection, asked } = aConnection([anAnswer(), anAnswer({ attrs: { auth: 'another' } })]);

    await connection.ask(false);

    expect((await connection.ask(true)).token).toBe('another');
    expect((await connection.ask(false)).token).toBe('another');
    expect(asked).toHaveLength(2);
  });

  it('fails as a look-up, with the number of WhatsApp, and is done anew the next time', async () => {
    const refused = Object.assign(new Error('forbidden'), { data: 403 });
    const { connection } = aConnection([refused, anAnswer({ hosts: [] }), anAnswer()]);

    await expect(connection.ask(false)).rejects.toMatchObject({ name: 'LookUpError', lookUp: 'media', code: 403 });
    await expect(connection.ask(false)).rejects.toMatchObject({ lookUp: 'media', code: NO_NUMBER });
    expect((await connection.ask(false)).token).toBe('token');
  });
});
