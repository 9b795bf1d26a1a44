import type { proto } from '@whiskeysockets/baileys';
import { isPlain, type SealedFile, type UploadedFile } from '../../../shared/media/uploadedFile.ts';
import type { FileOfSend } from '../port/connectionSocket.ts';
import type { WireContext } from './spokenKind.ts';

/** The file that a message is made of. Throws where there is none, which whoever asks for the message has seen to. */
export function fileIn({ file }: WireContext): FileOfSend {
  if (file === undefined) throw new Error('a message of a file without its file');
  return file;
}

/** How a sealed file is opened, by the protocol's names. */
export function howItOpens({ sealedSha256, key, keyAtMs }: SealedFile) {
  return {
    fileEncSha256: Buffer.from(sealedSha256, 'base64'),
    mediaKey: Buffer.from(key, 'base64'),
    mediaKeyTimestamp: Math.floor(keyAtMs / 1_000),
  };
}

/** What every message of a file says of it, by the protocol's names. One of a channel is opened by nobody, so it has no key. */
export function whereItLies(file: UploadedFile) {
  const { prepared, url, directPath } = file;
  const lies = {
    url,
    directPath,
    mimetype: prepared.mimeType,
    fileLength: prepared.bytes,
    fileSha256: Buffer.from(prepared.sha256, 'base64'),
  };
  return isPlain(file) ? lies : { ...lies, ...howItOpens(file) };
}

/** The small picture that stands in for the file until it is opened. */
export function thumbnailOf({ prepared: { thumbnail } }: UploadedFile): { readonly jpegThumbnail?: Buffer } {
  return thumbnail === undefined ? {} : { jpegThumbnail: Buffer.from(thumbnail, 'base64') };
}

export function areaOf({ prepared: { width, height } }: UploadedFile) {
  return width === undefined || height === undefined ? {} : { width, height };
}

export function lengthOf({ prepared: { seconds } }: UploadedFile): { readonly seconds?: number } {
  return seconds === undefined ? {} : { seconds };
}

export function sidecarOf(file: UploadedFile): { readonly streamingSidecar?: Buffer } {
  const sidecar = isPlain(file) ? undefined : file.sidecar;
  return sidecar === undefined ? {} : { streamingSidecar: Buffer.from(sidecar, 'base64') };
}

export function contextOf({ contextInfo }: WireContext): { readonly contextInfo?: proto.IContextInfo } {
  return contextInfo === undefined ? {} : { contextInfo };
}

/**
 * A message that may be opened once. It says so itself and in what it is wrapped in, as WhatsApp's clients write it.
 * @param isSound what is heard has a wrapper of its own
 */
export function opensOnce(message: proto.IMessage, isSound = false): proto.IMessage {
  return isSound ? { viewOnceMessageV2Extension: { message } } : { viewOnceMessageV2: { message } };
}
