import { createHash } from 'node:crypto';
import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MessageFact } from '../../../../shared/event/facts/messageFactSchema.ts';
import { deriveMediaId } from '../../../../shared/kernel/id.ts';
import { answersIn } from '../../../../worker/socket/files/phoneFiles.ts';
import type { WaitingFile } from '../../../../worker/socket/port/fileRequest.ts';
import { retryNotice } from '../../../whatsapp/media/againSeal.ts';
import type { Account } from '../../../whatsapp/world.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, idOf, SocketRoom } from '../socketRoom.ts';

silenceConsole();

describe('a file that the phone is asked for', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  let seeds = 0;
  /** A message with a file, which the phone has opened. */
  async function arrived(to = ANN) {
    const noise = { bytes: 2_000, seed: (seeds += 1) };
    const stanzaId = await room.client.files.send(BOB, to, { kind: 'image', noise });
    const find = () => room.facts.find((fact) => fact.kind === 'message' && fact.stanzaId === stanzaId);
    const fact = (await until('the message', find, (found) => found !== undefined)) as MessageFact;
    await room.client.files.opened(ANN, stanzaId);
    const key = fact.files?.[0]?.key ?? '';
    const waiting: WaitingFile = { mediaId: deriveMediaId(idOf(fact), 0), round: 1, stanzaId, key };
    room.waitingFiles = [waiting];
    return { fact, waiting };
  }
  const ask = ({ chat, sender, fromMe, stanzaId, files = [] }: MessageFact) =>
    room.socket?.askForFile({ chat, sender, fromMe, stanzaId, key: files[0]?.key ?? '' });
  const answerOf = (waiting: WaitingFile) =>
    until(
      'an answer',
      () => room.fileAnswers.find(({ file }) => file === waiting)?.answer,
      (answer) => answer !== undefined,
    );
  /** The file is under the path that was told. */
  const isAt = async (path: string, sealedSha256 = ''): Promise<boolean> => {
    const file = await fetch(`http://${room.whatsApp.mediaHosts[0]}${path}`);
    const bytes = Buffer.from(await file.arrayBuffer());
    return createHash('sha256').update(bytes).digest('base64') === sealedSha256;
  };

  it('is uploaded again by a phone that is online, under another path', async () => {
    const { fact, waiting } = await arrived();

    const outcome = await ask(fact);
    const answer = await answerOf(waiting);

    expect(outcome).toBe('asked');
    expect(answer).toMatchObject({ answer: 'given' });
    const path = answer !== undefined && 'path' in answer ? answer.path : '';
    expect(path).not.toBe(fact.files?.[0]?.path);
    expect(await isAt(path, fact.files?.[0]?.sealed_sha256)).toBe(true);
  });

  it('is uploaded again where it came to a group', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'Pictures', [ANN]);
    const { fact, waiting } = await arrived(group);

    await ask(fact);

    expect(await answerOf(waiting)).toMatchObject({ answer: 'given' });
  });

  it('is given when the phone comes back, also to a socket that has not asked', async () => {
    const { fact, waiting } = await arrived();
    await room.client.files.disconnect(ANN);
    await ask(fact);
    const before = room.fileAnswers.some(({ file }) => file === waiting);
    await room.socket?.close('end');
    await room.login();

    await room.client.files.connect(ANN);

    expect(before).toBe(false);
    expect(await answerOf(waiting)).toMatchObject({ answer: 'given' });
  });

  it('is absent when the owner of the phone has removed it', async () => {
    const { fact, waiting } = await arrived();
    await room.client.files.remove(ANN, fact.stanzaId);

    await ask(fact);

    expect(await answerOf(waiting)).toEqual({ answer: 'absent' });
  });

  it.each([
    ['not_found', 'absent'],
    ['decryption_error', 'absent'],
    ['general_error', 'failed'],
  ] as const)('is told of by %s, sealed or not: %s', async (answer, expected) => {
    const answers: unknown[] = [];
    for (const form of ['error', 'sealed'] as const) {
      const { fact, waiting } = await arrived();
      await room.client.fault({ kind: 'upload_again', answer, form, times: 1 });
      await ask(fact);
      answers.push(await answerOf(waiting));
    }

    expect(answers).toEqual([{ answer: expected }, { answer: expected }]);
  });

  it('is not believed to be anywhere by what another key has sealed', async () => {
    const { fact, waiting } = await arrived();
    await room.client.fault({ kind: 'upload_again', answer: 'foreign_seal', times: 1 });

    await ask(fact);

    expect(await answerOf(waiting)).toEqual({ answer: 'unreadable' });
  });

  it('holds up no message while the store that takes the answer hangs', async () => {
    const { fact, waiting } = await arrived();
    const taken = Promise.withResolvers<void>();
    room.onFileAnswer = () => taken.promise;

    await ask(fact);
    await answerOf(waiting);
    await room.client.write(BOB, ANN, 'and now something else');

    const heard = await until(
      'the message behind it',
      () => room.texts(),
      (texts) => texts.includes('and now something else'),
    );
    taken.resolve();
    room.onFileAnswer = async () => undefined;
    expect(heard).toContain('and now something else');
  });
});

describe('an answer about a file', () => {
  const key = Buffer.alloc(32, 7);
  const waiting: WaitingFile = {
    mediaId: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H' as WaitingFile['mediaId'],
    round: 1,
    stanzaId: '3EB0AA',
    key: key.toString('base64'),
  };
  const other: WaitingFile = { ...waiting, key: Buffer.alloc(32, 8).toString('base64') };
  const { SUCCESS } = proto.MediaRetryNotification.ResultType;
  const sealed = (directPath: string, by = key, id = waiting.stanzaId): BinaryNode =>
    retryNotice({ number: ANN } as Account, id, undefined, { result: SUCCESS, isSealed: true, directPath }, by);

  it('is about the one file of its message whose key opens it', () => {
    const answers = answersIn(sealed('/v/2'), [other, waiting]);

    expect(answers).toEqual([{ file: waiting, answer: { answer: 'given', path: '/v/2' } }]);
  });

  it.each([
    'https://evil.example/',
    '//evil.example/x',
    '/\\evil.example',
    '@evil.example/',
    'v/1',
    '/v/1 HTTP/1.1',
    `/${'x'.repeat(5_000)}`,
    '',
  ])('names no place by %j', (path) => {
    expect(answersIn(sealed(path), [waiting])).toEqual([{ file: waiting, answer: { answer: 'unreadable' } }]);
  });

  it('says nothing when it is about another message than its stanza says, or holds nothing', () => {
    const foreign = { ...sealed('/v/2', key, 'OTHER') };
    const empty: BinaryNode = { tag: 'notification', attrs: { id: waiting.stanzaId } };

    expect(answersIn(foreign, [waiting]).map(({ answer }) => answer)).toEqual([{ answer: 'unreadable' }]);
    expect(answersIn(empty, [waiting]).map(({ answer }) => answer)).toEqual([{ answer: 'unreadable' }]);
    expect(answersIn(sealed('/v/2'), [])).toEqual([]);
  });
});
