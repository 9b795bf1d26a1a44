import { z } from 'zod';
import type { MediaId } from '../../kernel/id.ts';
import type { Media } from '../../media/media.ts';
import { shownMediaSchema } from '../../media/media.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { brandedText, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const told = { messageId: z.string(), media: shownMediaSchema } as const;

const schema = z.object({ ...commonFields, kind: z.literal('media'), ...told, mediaId: brandedText<MediaId>() });

/** A file of a message is here, or will not come: its row says so before this is published. */
export type MediaFact = z.infer<typeof schema>;

const example = {
  messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
  media: {
    id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
    type: 'image',
    state: 'ready',
    mime_type: 'image/jpeg',
    bytes: 87_213,
    sha256: 'jXuVMYGEKdVwJHVRpHvF0zeD0hJ8JxYF8yY7rWJzF1o=',
    width: 1_600,
    height: 1_200,
  },
} as const;

const mediaReady = eventRow({
  type: 'media.ready',
  data: z.object(told).meta({ id: 'MediaReadyData' }),
  description: 'A file of a message is here: `GET /v1/media/{id}` leads to it.',
  example,
});
const mediaFailed = eventRow({
  type: 'media.failed',
  data: z.object(told).meta({ id: 'MediaFailedData' }),
  description: 'A file of a message could not be fetched, and why. It can be asked for again.',
  example: {
    ...example,
    media: {
      ...example.media,
      state: 'failed',
      error: {
        code: 'gone',
        sentence:
          'WhatsApp no longer has the file, nor has the phone of the account. Whoever has it can send it again.',
      },
    },
  },
});

export const mediaFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ messageId, media, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(media.state === 'ready' ? mediaReady : mediaFailed, origin, atMs, { messageId, media }),
  }),
  events: [mediaReady, mediaFailed],
});

/** The key of what has become of a file, which differs each time that it is asked for. */
export function mediaFactKeyOf({ mediaId, round }: Pick<Media, 'mediaId' | 'round'>): string {
  return `media:${mediaId}:${round}`;
}
