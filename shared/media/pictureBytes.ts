/** What a file can be made a picture for: that of an account or a group, or the photo on the card of a contact. */
export const pictureUses = ['portrait', 'card'] as const;
export type PictureUse = (typeof pictureUses)[number];

/**
 * The most bytes of a picture that is set: a fourth of what a row may take, and more than phones send. That of a card is as large as the small pictures that
 * we read (shared/content/thumbnail.ts).
 */
export const PICTURE_BYTES = { portrait: 100 * 1_024, card: 12_288 } as const satisfies Readonly<
  Record<PictureUse, number>
>;
