/** Media: blobs that clients upload sealed and name in messages (docs/whatsapp.md, "Media"). The server cannot open them. */
export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker';
