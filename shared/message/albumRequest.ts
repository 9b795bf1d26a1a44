import { z } from 'zod';
import { askedFile, type AskedBeside, type NamedFile } from '../content/namedFile.ts';

/** The fewest and the most pictures and films of an album that phones make one of. */
export const ALBUM_PARTS = { least: 2, most: 30 } as const;

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('image'), image: askedFile('caption') }),
  z.strictObject({ type: z.literal('video'), video: askedFile('caption') }),
]);

type PartBody = NamedFile & Pick<AskedBeside, 'caption'>;
/** A picture or a film of an album, as it is asked for. */
export type AlbumPart =
  { readonly type: 'image'; readonly image: PartBody } | { readonly type: 'video'; readonly video: PartBody };

/** What a request says of an album: its parts, in their order. */
export const albumField = z.strictObject({
  parts: z
    .array(part)
    .min(ALBUM_PARTS.least)
    .max(ALBUM_PARTS.most)
    .meta({ description: 'Its pictures and films, in the order in which they are sent: each a message of its own.' }),
}) as unknown as z.ZodType<{ readonly parts: readonly AlbumPart[] }>;
export type AskedAlbum = z.infer<typeof albumField>;

export const albumExample = {
  parts: [
    { type: 'image', image: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H', caption: 'The front' } },
    { type: 'video', video: { id: 'med_01K3C5H4T6W8Y0A2C4E6G8J0M2' } },
  ],
} as const;

/** How many of each an album announces. */
export function countsOf({ parts }: AskedAlbum): { readonly images: number; readonly videos: number } {
  const images = parts.filter(({ type }) => type === 'image').length;
  return { images, videos: parts.length - images };
}
