import { randomBytes } from 'node:crypto';
import { decryptEventResponse, decryptPollVote, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { openSealed, sealUses, type SealUse } from '../../../shared/wire/sealed.ts';
import { sealWith } from './sealing.ts';

const ANN = '4915100000001@s.whatsapp.net';
const ANN_LID = '111000111@lid';
const BOB = '4915100000002@s.whatsapp.net';
const BOB_LID = '222000222@lid';
const secret = randomBytes(32);
const stanzaId = '3EB0C767D097B7B3E5D1';

function seal(use: SealUse, plaintext: Uint8Array, author: string, actor: string) {
  const { encPayload, encIv } = sealWith(use, { secret, stanzaId }, { author, actor }, plaintext);
  return { use, payload: encPayload, iv: encIv };
}

const authors = { number: ANN, lid: ANN_LID } as const;
const actors = { number: BOB, lid: BOB_LID } as const;
const kinds = ['number', 'lid'] as const;
const pairs = kinds.flatMap((by) => kinds.map((to) => ({ by, to })));
const binding = { secret, stanzaId, authors: [ANN, ANN_LID], actors: [BOB, BOB_LID] };

describe('what is sealed with the secret of another message', () => {
  it.each(sealUses.flatMap((use) => pairs.map((pair) => ({ use, ...pair }))))(
    'opens whichever names it is bound to: $use, author by $by, actor by $to',
    ({ use, by, to }) => {
      const [author, actor] = [authors[by], actors[to]];
      const sealed = seal(use, Buffer.from('hello'), author, actor);

      expect(openSealed(sealed, binding)).toEqual(Buffer.from('hello'));
    },
  );

  it('is what Baileys opens as a vote, and as the answer to an event', () => {
    const vote = proto.Message.PollVoteMessage.encode({ selectedOptions: [randomBytes(32)] }).finish();
    const sealedVote = seal('vote', vote, ANN, BOB);
    const answer = proto.Message.EventResponseMessage.encode({ response: 1 }).finish();
    const sealedAnswer = seal('event_response', answer, ANN, BOB);
    const toEncrypted = ({ payload, iv }: typeof sealedVote) => ({ encPayload: payload, encIv: iv });

    expect(
      decryptPollVote(toEncrypted(sealedVote), {
        pollCreatorJid: ANN,
        pollMsgId: stanzaId,
        pollEncKey: secret,
        voterJid: BOB,
      }).selectedOptions,
    ).toHaveLength(1);
    expect(
      decryptEventResponse(toEncrypted(sealedAnswer), {
        eventCreatorJid: ANN,
        eventMsgId: stanzaId,
        eventEncKey: secret,
        responderJid: BOB,
      }).response,
    ).toBe(1);
  });

  it.each([
    ['by somebody else', { ...binding, actors: [ANN] }],
    ['for a message of somebody else', { ...binding, authors: [BOB] }],
    ['for another message', { ...binding, stanzaId: 'OTHER' }],
    ['with another secret', { ...binding, secret: randomBytes(32) }],
  ])('stays closed %s', (_who, other) => {
    expect(openSealed(seal('edit', Buffer.from('hello'), ANN, BOB), other)).toBeUndefined();
  });

  it('stays closed where it is nonsense', () => {
    expect(openSealed({ use: 'edit', payload: Buffer.alloc(3), iv: Buffer.alloc(12) }, binding)).toBeUndefined();
    expect(openSealed({ use: 'edit', payload: Buffer.alloc(40), iv: Buffer.alloc(2) }, binding)).toBeUndefined();
  });
});
