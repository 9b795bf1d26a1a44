import { z } from 'zod';
import { FILE_BYTES } from '../../shared/content/mediaFile.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { makeId, parseId, type TenantId } from '../../shared/kernel/id.ts';
import { broughtKeyOf, type BroughtFile } from '../../shared/media/broughtFile.ts';
import type { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { keptUntilMs } from '../../shared/media/fileKeeping.ts';
import type { TenantFiles } from '../../shared/media/keptBytes.ts';
import type { ObjectHolds } from '../../shared/media/objectHolds.ts';
import type { ObjectUploads } from '../../shared/media/objectUploads.ts';
import { partsOfUpload, settleUpload, UPLOAD_PART_BYTES } from '../../shared/media/settleUpload.ts';
import { mediaInfoSchema, toMediaInfo, type ShownUpload } from '../../shared/media/shownFile.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';

export interface MediaUploadDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly brought: BroughtFileStore;
  readonly uploads: ObjectUploads;
  readonly holds: Pick<ObjectHolds, 'hold' | 'count' | 'release'>;
  readonly tenantFiles: TenantFiles;
}

/** How long an address to upload to holds, in seconds: two gigabytes take so long at 5 Mbit/s. */
const ADDRESS_SECONDS = 3_600;

const bodySchema = z
  .strictObject({
    bytes: z
      .number()
      .int()
      .min(1)
      .max(FILE_BYTES)
      .meta({ description: 'The exact size of the file.', example: 87_213 }),
    mime_type: z
      .string()
      .regex(/^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}(?:; ?[\w-]{1,32}=[\w.+"-]{1,64})*$/, {
        error: 'must be a type such as image/jpeg',
      })
      .optional()
      .meta({
        description: 'What it is; found out by its bytes where a kind of message needs it.',
        example: 'image/jpeg',
      }),
    filename: z.string().min(1).max(240).optional().meta({ description: 'The name that a document is shown with.' }),
  })
  .meta({ id: 'NewMedia', example: { bytes: 87_213, mime_type: 'image/jpeg' } });

const example = {
  id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
  state: 'awaited',
  mime_type: 'image/jpeg',
  bytes: 87_213,
  upload: { url: 'https://…', ends_at: '2026-08-23T15:00:00.000Z' },
} as const;

/** The routes of files that tenants bring, to send them. */
export function mediaUploadRoutes(dependencies: MediaUploadDependencies): readonly Route[] {
  const { brought, uploads, clock, random, tenantFiles } = dependencies;
  return [
    route('POST', '/v1/media', {
      summary: 'Bring a file, to send it: gives the address to upload it to',
      description:
        'Upload it with `PUT` to `upload.url`; above 16 MiB in parts, each to its own address. The addresses need no key, take exactly the bytes that were said, and end after an hour. Then send it by its id.',
      body: bodySchema,
      problems: ['too_many_bytes', 'quota_exceeded'],
      answers: { status: 201, schema: mediaInfoSchema, example },
      handle: async ({ tenantId, body: { bytes, mime_type: mimeType, filename }, quotas, take }) => {
        await checkRoom(tenantFiles, tenantId, bytes, (await quotas()).storedBytes);
        await take([{ quota: 'mediaBytesPerDay', tokens: bytes }]);
        const createdAtMs = clock.nowMs();
        const mediaId = makeId('med', createdAtMs, random);
        const days = await tenantFiles.keptDays(tenantId);
        const objectKey = broughtKeyOf(tenantId, mediaId, days);
        const uploadId = bytes > UPLOAD_PART_BYTES ? await uploads.begin(objectKey) : undefined;
        const file: BroughtFile = {
          mediaId,
          tenantId,
          broughtBy: 'upload',
          state: 'awaited',
          objectKey,
          bytes,
          createdAtMs,
          keptUntilMs: keptUntilMs(days, createdAtMs),
          ...(uploadId === undefined ? {} : { uploadId }),
          ...(mimeType === undefined ? {} : { mimeType }),
          ...(filename === undefined ? {} : { filename }),
        };
        if (!(await brought.create(file))) throw new Error('an id was drawn twice');
        const headers = { location: `/v1/media/${mediaId}/info` };
        return { status: 201, headers, json: toMediaInfo(file, await uploadOf(dependencies, file)) };
      },
    }),
    route('POST', '/v1/media/{mediaId}/complete', {
      summary: 'Look whether a file has been uploaded whole',
      description:
        'Need not be called: a message that names the file looks as well. `awaited` in the answer means that a part is missing.',
      answers: { status: 200, schema: mediaInfoSchema, example: { ...example, state: 'ready', upload: undefined } },
      handle: async ({ tenantId, parameters }) => {
        const file = await settleUpload(dependencies, await findBrought(brought, tenantId, parameters['mediaId']));
        return { status: 200, json: toMediaInfo(file, await uploadOf(dependencies, file)) };
      },
    }),
  ];
}

/** Looks whether the tenant may keep so many bytes more, as they are counted now. Throws `quota_exceeded`. */
async function checkRoom(
  tenantFiles: Pick<TenantFiles, 'keptBytes'>,
  tenantId: TenantId,
  bytes: number,
  most: number,
): Promise<void> {
  const kept = await tenantFiles.keptBytes(tenantId);
  if (kept.bytes + bytes <= most) return;
  throw new AppError('quota_exceeded', {
    detail: `This tenant may keep ${most} bytes of files, and keeps ${kept.bytes}. Delete some, have them kept for fewer days, or ask the operator for more.`,
  });
}

/** A file of this tenant that was brought. Throws `media_not_found`. */
async function findBrought(
  brought: Pick<BroughtFileStore, 'find'>,
  tenantId: TenantId,
  parameter = '',
): Promise<BroughtFile> {
  const mediaId = parseId('med', parameter);
  const file = mediaId && (await brought.find(mediaId));
  if (file === undefined || file.tenantId !== tenantId) throw new AppError('media_not_found');
  return file;
}

/** Where a file goes, while it is awaited. */
export async function uploadOf(
  { uploads, clock }: Pick<MediaUploadDependencies, 'uploads' | 'clock'>,
  { state, objectKey, uploadId, bytes = 0 }: BroughtFile,
): Promise<ShownUpload | undefined> {
  if (state !== 'awaited') return undefined;
  const ends_at = new Date(clock.nowMs() + ADDRESS_SECONDS * 1_000).toISOString();
  if (uploadId === undefined) return { url: await uploads.addressOf(objectKey, bytes, ADDRESS_SECONDS), ends_at };
  const parts = partsOfUpload(bytes).map(async (size, place) => {
    const part = { number: place + 1, bytes: size };
    return { ...part, url: await uploads.addressOfPart(objectKey, uploadId, part, ADDRESS_SECONDS) };
  });
  return { part_bytes: UPLOAD_PART_BYTES, parts: await Promise.all(parts), ends_at };
}
