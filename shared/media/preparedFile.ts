/** A file as it is sent: what its message says of it, and where its bytes lie, which are not sealed. */
export interface PreparedFile {
  /** The key of its bytes in the bucket: that of the original where nothing was changed. */
  readonly objectKey: string;
  readonly mimeType: string;
  readonly bytes: number;
  /** SHA-256 of these bytes, in base64. */
  readonly sha256: string;
  /** In pixels, as `height`. */
  readonly width?: number;
  readonly height?: number;
  /** Whole seconds. */
  readonly seconds?: number;
  readonly pages?: number;
  /** Whether a sticker moves. */
  readonly isAnimated?: boolean;
  /** How loud a voice message is over its time: 64 bytes, each 0 to 100, in base64. */
  readonly waveform?: string;
  /** A small JPEG, at most 12 KB, in base64. */
  readonly thumbnail?: string;
  readonly isConverted: boolean;
  /** What is in a pack of stickers. */
  readonly pack?: StickerPackFacts;
}

/** A pack of stickers, as its message names what is in it. */
export interface StickerPackFacts {
  readonly id: string;
  /** The names of its stickers in the archive, in their order. */
  readonly stickers: readonly { readonly fileName: string; readonly isAnimated: boolean }[];
  /** The name of the picture by which it is chosen. */
  readonly tray: string;
}
