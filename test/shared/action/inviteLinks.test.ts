import { describe, expect, it } from 'vitest';
import { channelPreview, codeOfChannelLink } from '../../../shared/action/kinds/channels.ts';

const CODE = '0029Va4K0PZ5a245NkngBA2M';

describe('a link to a channel', () => {
  it.each([
    CODE,
    ...['', '/', '/142', '?utm=1', '/142?utm=1'].map((end) => `https://www.whatsapp.com/channel/${CODE}${end}`),
  ])('is taken as people copy it: %s', (link) => {
    expect(channelPreview.request.safeParse({ invite_link: link }).success).toBe(true);
    expect(codeOfChannelLink(link)).toBe(CODE);
  });

  it.each([
    `https://example.com/channel/${CODE}`,
    `https://whatsapp.com/channel/${CODE}/x`,
    `https://whatsapp.com/channel/`,
    `${CODE} `,
  ])('is refused where it is none: %s', (link) => {
    expect(channelPreview.request.safeParse({ invite_link: link }).success).toBe(false);
  });
});
