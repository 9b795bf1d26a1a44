import { describe, expect, it } from 'vitest';
import { proto } from '@whiskeysockets/baileys';
import { MOST_INLINE_BYTES } from '../../../../shared/history/historyNotice.ts';
import { toHistoryNotice } from '../../../../worker/socket/wire/historyNotice.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '100@lid' };
const PHONE = { tag: 'message', attrs: { id: 'S1', from: ME.phoneJid, t: '1' }, content: '' };
const KEY = Buffer.alloc(32, 1);
const { RECENT, ON_DEMAND, INITIAL_STATUS_V3 } = proto.HistorySync.HistorySyncType;
type Told = proto.Message.IHistorySyncNotification;

const read = (told: Told, stanza = PHONE) =>
  toHistoryNotice(stanza, { protocolMessage: { historySyncNotification: told } }, ME);
const AT_HOST: Told = {
  syncType: RECENT,
  chunkOrder: 2,
  progress: 40,
  directPath: '/v/1',
  mediaKey: KEY,
  fileSha256: KEY,
};

describe('a notice of the history', () => {
  it('says where the history lies', () => {
    expect(read(AT_HOST)).toMatchObject({
      type: 'recent',
      chunk: 2,
      progress: 40,
      place: { file: { path: '/v/1', key: KEY.toString('base64'), sha256: KEY.toString('base64'), use: 'history' } },
    });
    expect(read({ syncType: RECENT, initialHistBootstrapInlinePayload: Buffer.from('x') })?.place).toEqual({
      inline: Buffer.from('x'),
    });
  });

  it.each([
    ['the phone itself', PHONE, true],
    [
      'another device of the account',
      { ...PHONE, attrs: { ...PHONE.attrs, from: '4915100000001:7@s.whatsapp.net' } },
      false,
    ],
    ['somebody else', { ...PHONE, attrs: { ...PHONE.attrs, from: '4915100000009@s.whatsapp.net' } }, false],
  ] as const)('counts from %s', (_, stanza, counts) => {
    expect(read(AT_HOST, stanza) !== undefined).toBe(counts);
  });

  it.each([
    ['no path', { ...AT_HOST, directPath: null }, 'no_place'],
    ['a path that is longer than any', { ...AT_HOST, directPath: '/'.repeat(3_000) }, 'no_place'],
    ['a key that is none', { ...AT_HOST, mediaKey: Buffer.alloc(31) }, 'no_place'],
    ['no hash', { ...AT_HOST, fileSha256: null }, 'no_place'],
    [
      'more than a row holds',
      { syncType: RECENT, initialHistBootstrapInlinePayload: Buffer.alloc(MOST_INLINE_BYTES + 1) },
      'too_large',
    ],
  ] as const)('with %s is recorded as lost', (_, told, lost) => {
    expect(read(told as Told)?.place).toEqual({ lost });
  });

  it('is the same one however often it comes, and another one for another part or request', () => {
    const id = read(AT_HOST)?.noticeId;

    expect(read(AT_HOST, { ...PHONE, attrs: { ...PHONE.attrs, id: 'S2' } })?.noticeId).toBe(id);
    expect(read({ ...AT_HOST, chunkOrder: 3 })?.noticeId).not.toBe(id);
    expect(read({ ...AT_HOST, syncType: ON_DEMAND, peerDataRequestSessionId: 'R' })).toMatchObject({ requestId: 'R' });
  });

  it('of what is kept by nobody is none', () => {
    expect(read({ ...AT_HOST, syncType: INITIAL_STATUS_V3 })).toBeUndefined();
    expect(toHistoryNotice(PHONE, { conversation: 'Hello' }, ME)).toBeUndefined();
  });
});
