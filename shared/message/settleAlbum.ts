import type { OutboundContent } from '../content/content.ts';
import { AppError } from '../kernel/appError.ts';
import { countsOf, type AlbumPart } from './albumRequest.ts';
import { splitMessage, type AlbumMessage, type NewMessage } from './outboundMessage.ts';
import { settleFile } from './settleFile.ts';
import { settleRequest, type RequestLookUp, type SettledRequest } from './settleRequest.ts';

/** An album with the files of its parts. */
export interface SettledAlbum extends SettledRequest {
  readonly parts: readonly OutboundContent[];
}

/**
 * Settles a request for an album: its beginning as any message, and the file of each part. The error that refuses it is returned, since a repeated request
 * gets its answer all the same. Rejects when a store or the queue does not answer.
 */
export async function settleAlbum(
  body: AlbumMessage,
  to: string | undefined,
  nowMs: number,
  lookUp: RequestLookUp,
): Promise<SettledAlbum | AppError> {
  const { envelope } = splitMessage(body);
  const beginning = { ...envelope, type: 'album', album: countsOf(body.album) } as NewMessage;
  const settled = await settleRequest(beginning, to, nowMs, lookUp);
  if (settled instanceof AppError) return settled;
  // Files that are there come first: where one of them refuses the album, no link of it is fetched.
  const places = [...body.album.parts.entries()];
  const isLinked = ([, part]: (typeof places)[number]): boolean => linkOf(part) !== undefined;
  const filed = new Map<number, OutboundContent>();
  for (const some of [places.filter((one) => !isLinked(one)), places.filter(isLinked)]) {
    const found = await Promise.all(
      some.map(async ([place, part]) => [place, await settlePart(part, place, lookUp)] as const),
    );
    for (const [place, part] of found) {
      if (part instanceof AppError) return part;
      filed.set(place, part);
    }
  }
  return { ...settled, parts: places.flatMap(([place]) => filed.get(place) ?? []) };
}

function linkOf(part: AlbumPart): string | undefined {
  return part.type === 'image' ? part.image.link : part.video.link;
}

function settlePart(part: AlbumPart, place: number, { files }: RequestLookUp): Promise<OutboundContent | AppError> {
  return settleFile(part, files, `album.parts.${place}.`);
}
