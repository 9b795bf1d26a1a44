/** What a file can be sent as. A voice message is `voice`, a round film `video_note`, a film that loops without sound `gif`. */
export const sentUses = [
  'image',
  'video',
  'gif',
  'video_note',
  'audio',
  'voice',
  'document',
  'sticker',
  'sticker_pack',
] as const;
export type SentUse = (typeof sentUses)[number];
