import type { z } from 'zod';
import { boundMediaFiles, mediaFilesSchema, type MediaFile } from '../../content/mediaFile.ts';
import { boundPartOf, partOfSchema, type PartOf } from '../../content/partOf.ts';
import { fitted } from './factField.ts';

/**
 * What a message brings beside its content: the message that it is a part of, and what is needed to fetch its files. The
 * files are kept in the row of the message and shown to nobody.
 */
export const partFields = {
  partOf: fitted(partOfSchema, (partOf) => boundPartOf(partOf)).optional(),
  files: fitted(mediaFilesSchema, (files) => boundMediaFiles(files as readonly MediaFile[])).optional(),
} as const;

export interface MessageParts {
  readonly partOf?: z.infer<typeof partFields.partOf>;
  readonly files?: readonly MediaFile[] | undefined;
}

/** The message that a message is a part of, as events and the API show it. */
export function shownPartOf({
  partOf,
  foldedInto,
}: {
  readonly partOf?: PartOf | undefined;
  readonly foldedInto?: string | undefined;
}): { readonly partOf?: PartOf } {
  if (partOf === undefined) return {};
  return { partOf: { ...partOf, ...(foldedInto === undefined ? {} : { messageId: foldedInto }) } };
}

/** The parts that the row of the message keeps. */
export function keptParts({ partOf, files }: MessageParts): MessageParts {
  return { ...(partOf === undefined ? {} : { partOf }), ...(files === undefined ? {} : { files }) };
}
