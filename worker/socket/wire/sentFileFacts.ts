import { normalizeMessageContent, type proto } from '@whiskeysockets/baileys';
import type { SentFileFacts } from '../../../shared/media/sentFileFacts.ts';

/** What a message says of the file that it is; undefined where it is none. Read in what leaves, so it is what was sent, in every try. */
export function toSentFile(message: proto.IMessage): SentFileFacts | undefined {
  const inner = normalizeMessageContent(message) ?? {};
  const file: FileParts | null | undefined =
    inner.imageMessage ??
    inner.videoMessage ??
    inner.ptvMessage ??
    inner.audioMessage ??
    inner.documentMessage ??
    inner.stickerMessage ??
    inner.stickerPackMessage;
  if (file === null || file === undefined) return undefined;
  const { fileSha256 } = file;
  const facts = {
    mimeType: file.mimetype ?? undefined,
    bytes: numberIn(file.fileLength),
    sha256: fileSha256 ? Buffer.from(fileSha256).toString('base64') : undefined,
    filename: file.fileName ?? undefined,
    width: numberIn(file.width),
    height: numberIn(file.height),
    seconds: numberIn(file.seconds),
    pages: numberIn(file.pageCount),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

interface FileParts {
  readonly mimetype?: string | null;
  readonly fileLength?: number | { readonly toNumber: () => number } | null;
  readonly fileSha256?: Uint8Array | null;
  readonly fileName?: string | null;
  readonly width?: number | null;
  readonly height?: number | null;
  readonly seconds?: number | null;
  readonly pageCount?: number | null;
}

/** A number of the protocol, which may be a long one; undefined for what is none, and for 0, which is what is not said. */
function numberIn(value: number | { readonly toNumber: () => number } | null | undefined): number | undefined {
  const number = typeof value === 'object' && value !== null ? value.toNumber() : (value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
