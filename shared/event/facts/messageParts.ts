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

/** The part that events show. */
export function shownParts({ partOf }: { readonly partOf?: PartOf | undefined }): { readonly partOf?: PartOf } {
  return partOf === undefined ? {} : { partOf };
}

/** The parts that the row of the message keeps. */
export function keptParts({ partOf, files }: MessageParts): MessageParts {
  return { ...(partOf === undefined ? {} : { partOf }), ...(files === undefined ? {} : { files }) };
}
