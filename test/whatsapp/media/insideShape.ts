/** What a phone finds in the bytes of a file, as far as its first two megabytes say it. Only what was found is there. */
export interface Inside {
  readonly format: Format;
  readonly width?: number;
  readonly height?: number;
  readonly animated?: boolean;
  /** Pictures of an animation. */
  readonly frames?: number;
  /** Whether a WebP has metadata, as stickers of WhatsApp have it. */
  readonly exif?: boolean;
  readonly seconds?: number;
  readonly channels?: number;
  /** What the head of the sound says of its source, in Hz. */
  readonly rate?: number;
  /** Whether the checksum of each page is right: players skip the others. */
  readonly intact?: boolean;
  /** Packets of Opus: how many milliseconds each lasts, of how many frames, and which code says so; the distinct values. */
  readonly packetMs?: readonly number[];
  readonly framesInPacket?: readonly number[];
  readonly packetCodes?: readonly number[];
  /** Whether the index of a film comes before its pictures: otherwise nobody can play it before it is there to its end. */
  readonly indexFirst?: boolean;
}

/** `unknown` is what the phone cannot tell. */
export type Format =
  'jpeg' | 'png' | 'gif' | 'webp' | 'ogg' | 'mp4' | 'webm' | 'mp3' | 'amr' | 'pdf' | 'zip' | 'unknown';
