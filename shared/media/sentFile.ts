import type { AskedBeside, NamedFile } from '../content/namedFile.ts';
import type { SentUse } from './sentUse.ts';

/** A content of a kind that can be a file, whatever its direction. */
type AnyContent = { readonly type: string };

const uses: Readonly<Record<string, (body: AskedBeside) => SentUse>> = {
  image: () => 'image',
  video: ({ gif }) => (gif === true ? 'gif' : 'video'),
  video_note: () => 'video_note',
  audio: ({ voice }) => (voice === true ? 'voice' : 'audio'),
  document: () => 'document',
  sticker: () => 'sticker',
  sticker_pack: () => 'sticker_pack',
};

/** The file that a content sends, and what it is sent as. */
export interface SentFile {
  readonly named: NamedFile;
  readonly as: SentUse;
  /** Whether it may be made what phones play. */
  readonly convert: boolean;
}

/** The file that an outbound content sends; undefined where its kind is none. */
export function sentFileOf(content: AnyContent): SentFile | undefined {
  const toUse = Object.hasOwn(uses, content.type) ? uses[content.type] : undefined;
  if (toUse === undefined) return undefined;
  const named = (content as unknown as Readonly<Record<string, NamedFile & AskedBeside>>)[content.type] ?? {};
  return { named, as: toUse(named), convert: named.convert !== false };
}

/** The files of which the photos of a content are made; none but contacts have any. */
export function photoIdsOf(content: AnyContent): readonly string[] {
  if (content.type !== 'contacts') return [];
  const { contacts } = content as unknown as {
    readonly contacts: readonly { readonly photo?: NamedFile | undefined }[];
  };
  return [...new Set(contacts.flatMap(({ photo }) => photo?.id ?? []))];
}
