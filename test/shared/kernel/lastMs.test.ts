import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chatMute } from '../../../shared/action/kinds/chatMarks.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { LAST_MS } from '../../../shared/kernel/lastMs.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { toShownMarks } from '../../../shared/message/chatMarks.ts';

describe('the last moment that is taken for a time', () => {
  it('can be shown, and an id can hold it', () => {
    expect(toShownMarks({ mutedUntilMs: LAST_MS })).toEqual({ muted: true, mutedUntil: '9999-12-31T23:59:59.999Z' });
    expect(z.iso.datetime().safeParse(new Date(LAST_MS).toISOString())).toMatchObject({ success: true });
    expect(() => makeId('msg', LAST_MS, systemRandom)).not.toThrow();
  });

  it.each([
    ['9999-12-31T23:59:59.999Z', true],
    ['9999-12-31T23:59:59+14:00', true],
    ['9999-12-31T23:59:59-14:00', false],
    ['1970-01-01T00:00:00Z', false],
  ])('is the last until which a chat can be muted: %s', (until, success) => {
    expect(chatMute.request.safeParse({ chat: '+4915123456789', until })).toMatchObject({ success });
  });
});
