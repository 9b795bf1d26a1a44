import { z } from 'zod';
import type { BroughtFile } from './broughtFile.ts';
import { broughtStates } from './broughtFile.ts';
import { mediaStates, shownMediaSchema, toKeptUntil, toShownMedia, type Media } from './media.ts';
import { mediaFaults } from './mediaFaults.ts';

/** Where a file is uploaded to. */
export const uploadSchema = z
  .object({
    url: z.string().optional().meta({ description: 'Takes the whole file, by `PUT`. It needs no key.' }),
    part_bytes: z.number().int().optional().meta({ description: 'The size of each part but the last.' }),
    parts: z
      .array(z.object({ number: z.number().int(), bytes: z.number().int(), url: z.string() }))
      .optional()
      .meta({ description: 'For a file above 16 MiB: where each part goes, by `PUT`, in any order and side by side.' }),
    ends_at: z.iso.datetime().meta({ description: 'When these addresses end; `GET …/info` gives new ones.' }),
  })
  .meta({ id: 'MediaUpload' });
export type ShownUpload = z.infer<typeof uploadSchema>;

/** A file as it is shown by itself, whether it came with a message or was brought. */
export const mediaInfoSchema = shownMediaSchema
  .extend({
    type: shownMediaSchema.shape.type
      .optional()
      .meta({ description: 'The type of the message that brought it, such as `voice`; absent for a file of yours.' }),
    state: z.enum([...new Set([...broughtStates, ...mediaStates])] as [string, ...string[]]).meta({
      description:
        '`awaited`: nothing was uploaded yet. `pending`: it is being fetched. `left`: your settings say that it is not fetched. `gone`: it is not kept any more.',
    }),
    upload: uploadSchema.optional(),
  })
  .meta({ id: 'MediaInfo' });
export type MediaInfo = z.infer<typeof mediaInfoSchema>;

/** A file as it is shown by itself. @param upload where it goes, while it is awaited */
export function toMediaInfo(row: Media | BroughtFile, upload?: ShownUpload): MediaInfo {
  if (!('broughtBy' in row)) return toShownMedia(row);
  const { mediaId: id, state, mimeType, bytes, sha256, filename, fault, keptUntilMs } = row;
  return {
    id,
    state,
    ...(fault === undefined ? {} : { error: { code: fault, sentence: mediaFaults[fault].sentence } }),
    ...(mimeType === undefined ? {} : { mime_type: mimeType }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(filename === undefined ? {} : { filename }),
    ...toKeptUntil(state, keptUntilMs),
    ...(upload === undefined ? {} : { upload }),
  };
}
