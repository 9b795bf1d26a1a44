import type { BodyOf } from '../../content/content.ts';
import { documentFile, fileOf, mediaOf } from '../files.ts';
import { inOneField } from '../oneField.ts';
import type { Understood } from '../understoodKind.ts';

const DOCUMENT = 7;

export const document: Understood<BodyOf<'document'>> = inOneField({
  field: DOCUMENT,
  shape: documentFile,
  context: 17,
  toBody: (read) => ({
    ...fileOf(read),
    filename: read.fileName,
    title: read.title,
    pages: read.pages,
    caption: read.caption,
  }),
  files: (read) => mediaOf('document', read),
});
