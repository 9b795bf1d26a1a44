import { createHash } from 'node:crypto';
import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import {
  historyTypeOf,
  historyTypes,
  MOST_INLINE_BYTES,
  noticeIdOf,
  type HistoryNotice,
  type HistoryPlace,
} from '../../../shared/history/historyNotice.ts';
import { isFromOwnPhone, type Me } from './envelope.ts';

const KEY_BYTES = 32;
const HASH_BYTES = 32;
const LONGEST_PATH = 2_048;
const LONGEST_ID = 128;
const MOST_CHUNKS = 1_000_000;

/** The notice of a history in a message of the account's own phone; undefined for every other message, and where there is nothing to take in. */
export function toHistoryNotice(
  stanza: BinaryNode,
  message: proto.IMessage | undefined,
  me: Me,
): HistoryNotice | undefined {
  const told = message?.protocolMessage?.historySyncNotification;
  if (told === undefined || told === null || !isFromOwnPhone(stanza, me)) return undefined;
  const type = historyTypeOf(told.syncType ?? 0);
  if (historyTypes[type].brings === 'nothing') return undefined;
  const place = toPlace(told);
  const requestId = told.peerDataRequestSessionId?.slice(0, LONGEST_ID) || undefined;
  const chunk = Math.min(Math.max(0, Math.trunc(told.chunkOrder ?? 0)), MOST_CHUNKS);
  const sha256 = hashOf(place, stanza);
  return {
    noticeId: noticeIdOf({ type, chunk, sha256, requestId }),
    type,
    chunk,
    progress: Math.min(Math.max(0, Math.trunc(told.progress ?? 0)), 100),
    place,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

function toPlace(told: proto.Message.IHistorySyncNotification): HistoryPlace {
  const { initialHistBootstrapInlinePayload: inline, directPath: path, mediaKey, fileSha256 } = told;
  if (inline?.length) return inline.length > MOST_INLINE_BYTES ? { lost: 'too_large' } : { inline };
  if (!path || path.length > LONGEST_PATH || mediaKey?.length !== KEY_BYTES || fileSha256?.length !== HASH_BYTES) {
    return { lost: 'no_place' };
  }
  const inBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return { file: { path, key: inBase64(mediaKey), sha256: inBase64(fileSha256), use: 'history' } };
}

function hashOf(place: HistoryPlace, { attrs }: BinaryNode): string {
  if ('file' in place) return place.file.sha256;
  const bytes = 'inline' in place ? place.inline : Buffer.from(attrs['id'] ?? '');
  return createHash('sha256').update(bytes).digest('base64');
}
