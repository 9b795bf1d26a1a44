import { describe, expect, it } from 'vitest';
import { readSealedReaction } from '../../../../shared/wire/kinds/reaction.ts';
import { toldOf, type Golden } from '../golden.ts';

const BEN = '4915100000002@s.whatsapp.net';
const key = { id: 'ORIGINAL', remoteJid: '120363@g.us', participant: '4915100000002:7@s.whatsapp.net' };
const about = { original: { stanzaId: 'ORIGINAL', byWriter: false, sender: BEN }, flags: [] };
const told = (type: string, body: object) => ({ content: { type, [type]: body }, ...about });
const unsupported = (kind: string) => ({ content: { type: 'unsupported', unsupported: { kind } }, flags: [] });
const DAY = 86_400;

const golden: readonly Golden[] = [
  ['a reaction', { reactionMessage: { key, text: '👍🏽', senderTimestampMs: 1 } }, told('reaction', { emoji: '👍🏽' })],
  ['a reaction that is taken back', { reactionMessage: { key, text: '' } }, told('reaction', {})],
  [
    'a reaction to what its writer wrote',
    { reactionMessage: { key: { id: 'ORIGINAL', fromMe: true }, text: '😀' } },
    { ...told('reaction', { emoji: '😀' }), original: { stanzaId: 'ORIGINAL', byWriter: true } },
  ],
  [
    'a reaction to nothing',
    { reactionMessage: { text: '😀' } },
    { content: { type: 'reaction', reaction: { emoji: '😀' } }, flags: [] },
  ],
  [
    'a pin for a week',
    { pinInChatMessage: { key, type: 1 }, messageContextInfo: { messageAddOnDurationInSecs: 7 * DAY } },
    told('pin', { type: 'pin', expiration_days: 7 }),
  ],
  ['a pin without end', { pinInChatMessage: { key, type: 1 } }, told('pin', { type: 'pin' })],
  ['a pin that is taken down', { pinInChatMessage: { key, type: 2 } }, told('pin', { type: 'unpin' })],
  ['a pin that says nothing', { pinInChatMessage: { key } }, unsupported('pinInChat')],
  ['what is kept', { keepInChatMessage: { key, keepType: 1, timestampMs: 1 } }, told('keep', { type: 'keep' })],
  ['what is kept no longer', { keepInChatMessage: { key, keepType: 2 } }, told('keep', { type: 'unkeep' })],
  ['a keep that says nothing', { keepInChatMessage: { key } }, unsupported('keepInChat')],
];

describe('what somebody does with another message', () => {
  it.each(golden)('is told with that message: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });

  it('keeps an emoji of any length within a bound', () => {
    const long = toldOf({ reactionMessage: { key, text: 'x'.repeat(9_000) } });

    expect(long?.content).toMatchObject({ type: 'reaction', reaction: { truncated: true } });
    expect(JSON.stringify(long).length).toBeLessThan(2_000);
  });

  it('is no reaction where what was sealed is none', () => {
    expect(readSealedReaction(Buffer.from([255, 255, 255]))).toBe('malformed');
    expect(readSealedReaction(Buffer.alloc(0))).toEqual({});
  });
});
