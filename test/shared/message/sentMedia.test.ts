import { describe, expect, it } from 'vitest';
import type { BroughtFile } from '../../../shared/media/broughtFile.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { toSentMediaView } from '../../../shared/message/sentMedia.ts';

const ID = 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H';
const view = (about: Partial<SentMessage>, row?: Partial<BroughtFile>) =>
  toSentMediaView(
    { content: { type: 'image', image: { id: ID } }, state: 'queued', ...about } as SentMessage,
    row === undefined ? undefined : new Map([[ID, { mediaId: ID, broughtBy: 'link', ...row } as BroughtFile]]),
  ).media?.[0];

describe('the file of a message that is sent', () => {
  it('is on its way, until its readers have it', () => {
    expect(view({})).toEqual({ id: ID, type: 'image', state: 'pending' });
    expect(view({ state: 'sent', sentFile: { mimeType: 'image/jpeg', seconds: 3 } })).toEqual({
      id: ID,
      type: 'image',
      state: 'ready',
      mime_type: 'image/jpeg',
      duration: 3,
    });
  });

  it('says why it could not be made what is sent', () => {
    expect(view({ state: 'failed', error: { code: 'file_wrong_type' } })).toMatchObject({
      state: 'failed',
      error: { code: 'wrong_type' },
    });
  });

  it('says why it could not be fetched, by the row of the file, as long as that says so', () => {
    const failed = { state: 'failed', error: { code: 'file_not_fetched' } } as const;

    expect(view(failed, { state: 'failed', fault: 'link_refused' })).toMatchObject({
      state: 'failed',
      error: { code: 'link_refused' },
    });
    expect(view(failed, { state: 'pending' })).toEqual({ id: ID, type: 'image', state: 'failed' });
    expect(view(failed)).toEqual({ id: ID, type: 'image', state: 'failed' });
  });

  it('fails not with a message that failed for another reason', () => {
    expect(view({ state: 'failed', error: { code: 'refused', whatsappCode: 400 } })).toEqual({
      id: ID,
      type: 'image',
      state: 'pending',
    });
  });
});
