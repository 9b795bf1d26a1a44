import type { BodyOf } from '../content/content.ts';
import type { MediaFile } from '../content/mediaFile.ts';
import { fileOf, mediaOf, type DocumentRead, type ImageRead, type VideoRead } from './files.ts';
import { double, part, shape, text, type Read } from './shape.ts';

/** What stands above the text of a message with options: words, a file, a place or a product. */
export interface HeadRead {
  readonly title?: string;
  readonly subtitle?: string;
  readonly image?: ImageRead;
  readonly video?: VideoRead;
  readonly document?: DocumentRead;
  readonly location?: Read<typeof place>;
  readonly product?: Read<typeof productHead>;
}

export const place = shape({ latitude: double(1), longitude: double(2), name: text(3), address: text(4) });
const snapshot = shape({ id: text(2), title: text(3), retailerId: text(7) });
export const productHead = shape({ product: part(1, snapshot) });

type Header = BodyOf<'interactive'>['header'];

/** A head as the Cloud API writes it; undefined where there is none. */
export function toHeader({ title, subtitle, image, video, document, location, product }: HeadRead): Header {
  const words = { text: title, subtitle };
  if (image !== undefined) return { type: 'image', ...words, image: fileOf(image) };
  if (video !== undefined) return { type: 'video', ...words, video: fileOf(video) };
  if (document !== undefined) {
    return { type: 'document', ...words, document: { ...fileOf(document), filename: document.fileName } };
  }
  if (location !== undefined) return { type: 'location', ...words, location };
  if (product !== undefined) {
    const { id, title: name, retailerId } = product.product ?? {};
    return { type: 'product', ...words, product: { id, title: name, retailer_id: retailerId } };
  }
  return title === undefined && subtitle === undefined ? undefined : { type: 'text', ...words };
}

/** What fetches the file of a head. */
export function headFiles({ image, video, document }: HeadRead, within: string): readonly MediaFile[] {
  return [
    ...mediaOf('image', image, within),
    ...mediaOf('video', video, within),
    ...mediaOf('document', document, within),
  ];
}

/** A text under its name, or nothing. */
export const wordsOf = (words: string | undefined): { readonly text: string } | undefined =>
  words === undefined ? undefined : { text: words };
