import type { NamedFile } from '../content/namedFile.ts';
import type { OutboundContent } from '../content/content.ts';
import { sentFileOf } from '../media/sentFile.ts';
import { AppError } from '../kernel/appError.ts';
import type { ErrorCode } from '../kernel/errorRules.ts';
import { parseId, type TenantId } from '../kernel/id.ts';
import type { FileToSend } from '../media/fileToSend.ts';
import { mediaFaults } from '../media/mediaFaults.ts';
import type { FilesToSend } from '../media/filesToSend.ts';

/** Where a request finds the file that it names. */
export interface FileLookUp {
  readonly tenantId: TenantId;
  readonly files: FilesToSend;
}

/** Why no message is made of a file in these states: those that may still come, or are here, are left out. */
const refusals: Partial<Readonly<Record<FileToSend['state'], { readonly code: ErrorCode; readonly problem: string }>>> =
  {
    awaited: { code: 'media_awaited', problem: 'is a file of which nothing was uploaded yet' },
    left: { code: 'media_left', problem: 'is a file that came and was not fetched' },
    gone: { code: 'media_gone', problem: 'is a file that is not kept any more' },
    failed: { code: 'media_failed', problem: 'is a file that could not be fetched' },
  };

/** What may refuse a file that a request names. */
export const fileProblems: readonly ErrorCode[] = [
  'media_not_found',
  ...Object.values(refusals).map(({ code }) => code),
];

/**
 * Settles the file that a message is made of: its row names it by its id alone, also where the request has a link, which is fetched
 * from then on. A message without a file costs nothing here. Returns the error that refuses it, since a repeated request gets its answer all
 * the same. Rejects when a store or the queue does not answer.
 * @param place where the content stands in the request, such as `album.parts.0.`; empty where it is the request
 */
export async function settleFile(
  content: OutboundContent,
  lookUp: FileLookUp | undefined,
  place = '',
): Promise<OutboundContent | AppError> {
  if (content.type === 'contacts') return settlePhotos(content, lookUp, place);
  const sent = sentFileOf(content);
  if (sent === undefined) return content;
  if (lookUp === undefined) throw new Error('nobody here knows any files');
  const { type } = content;
  const { id, link, ...body } = sent.named;
  const file = await settleNamed({ id, link }, lookUp, `${place}${type}.`);
  return file instanceof AppError
    ? file
    : ({ type, [type]: { id: file.mediaId, ...body } } as unknown as OutboundContent);
}

/** The file that a photo names. */
function namedBy(photo: NamedFile | undefined): NamedFile | undefined {
  return photo;
}

/** Settles the photos of contacts. Those that are there come first: where one of them refuses the message, no link is fetched. */
async function settlePhotos(
  content: Extract<OutboundContent, { readonly type: 'contacts' }>,
  lookUp: FileLookUp | undefined,
  place: string,
): Promise<OutboundContent | AppError> {
  const contacts = [...content.contacts];
  const linkOf = ({ photo }: (typeof contacts)[number]): string | undefined => namedBy(photo)?.link;
  const named = [...contacts.entries()].filter(([, { photo }]) => photo !== undefined);
  for (const [index, contact] of named.toSorted(
    ([, one], [, other]) => Number(linkOf(one) !== undefined) - Number(linkOf(other) !== undefined),
  )) {
    if (lookUp === undefined) throw new Error('nobody here knows any files');
    const file = await settleNamed(namedBy(contact.photo) ?? {}, lookUp, `${place}contacts.${index}.photo.`);
    if (file instanceof AppError) return file;
    contacts[index] = { ...contact, photo: { id: file.mediaId } };
  }
  return { type: 'contacts', contacts };
}

/**
 * Settles a file that a request names by its id or by a link: finds it, or has it fetched from then on. Returns the error that refuses it. Rejects when
 * a store or the queue does not answer.
 * @param place where the names stand in the request, such as `image.`
 */
export async function settleNamed(
  { id, link }: Pick<NamedFile, 'id' | 'link'>,
  lookUp: FileLookUp,
  place: string,
): Promise<FileToSend | AppError> {
  const file = link === undefined ? await find(id ?? '', lookUp) : await lookUp.files.bring(lookUp.tenantId, link);
  const field = `${place}${link === undefined ? 'id' : 'link'}`;
  if (file === undefined) {
    const problem = 'is no file of yours, or one that is not kept any more';
    return new AppError('media_not_found', { fields: [{ field, problem }] });
  }
  const refusal = refusals[file.state];
  if (refusal === undefined) return file;
  const detail = file.fault === undefined ? {} : { detail: mediaFaults[file.fault].sentence };
  return new AppError(refusal.code, { ...detail, fields: [{ field, problem: refusal.problem }] });
}

async function find(id: string, { tenantId, files }: FileLookUp): Promise<FileToSend | undefined> {
  const mediaId = parseId('med', id);
  return mediaId === undefined ? undefined : files.find(tenantId, mediaId);
}
