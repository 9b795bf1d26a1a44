import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { getMediaKeys, type proto } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { mediaDispatcher } from '../repairs/mediaDispatcher.ts';

/** The host from which WhatsApp's clients fetch blobs. Source: Baileys (`DEF_MEDIA_HOST`). */
const WHATSAPP_MEDIA = 'https://mmg.whatsapp.net';
/** The size up to which a blob is fetched: about 20,000 records, which take some 20 MB of memory while they are read. */
const MOST_BYTES = 4 * 1_024 * 1_024;
const MAC_BYTES = 10;

/** A blob is not there, is too large, or is not what its reference says. */
export class BlobError extends Error {
  override readonly name = 'BlobError';
}

/** The origin of blobs. A server that speaks without TLS is no WhatsApp, and has its blobs beside it. */
export function blobOriginOf(whatsappUrl: string): string {
  const { protocol, host } = new URL(whatsappUrl);
  return protocol === 'ws:' ? `http://${host}` : WHATSAPP_MEDIA;
}

/**
 * Fetches and opens a blob. Its path is joined to the one origin, so that a reference leads nowhere else. Throws
 * {@link BlobError} where the blob itself is the reason, and anything else where the network is.
 */
export async function fetchBlob(origin: string, reference: proto.IExternalBlobReference): Promise<Uint8Array> {
  const { directPath, mediaKey } = reference;
  if (!directPath || !mediaKey?.length) throw new BlobError('a reference to a blob has no path or no key');
  const url = new URL(directPath, origin);
  if (url.origin !== origin) throw new BlobError('a reference leads to another host');
  // Undici's own types and Node's copy of them differ in optional fields.
  const dispatcher = mediaDispatcher as unknown as NonNullable<RequestInit['dispatcher']>;
  const sealed = await withDeadline('fetching a blob', deadlines.mediaDownload.ms, async (signal) =>
    bytesOf(await fetch(url, { dispatcher, signal, redirect: 'error' })),
  );
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, 'md-app-state');
  const [body, mac] = [sealed.subarray(0, -MAC_BYTES), sealed.subarray(-MAC_BYTES)];
  const expected = createHmac('sha256', macKey ?? '')
    .update(iv)
    .update(body)
    .digest()
    .subarray(0, MAC_BYTES);
  if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, expected)) throw new BlobError('a blob is not authentic');
  try {
    const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (cause) {
    throw new BlobError('a blob does not open', { cause });
  }
}

async function bytesOf(response: Response): Promise<Buffer> {
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`a blob is answered with ${response.status}`);
    throw new BlobError(`a blob is answered with ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new BlobError('a blob is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
