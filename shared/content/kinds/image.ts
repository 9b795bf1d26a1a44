import { holds, oneOf, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { areaFields, caption, fileFields } from '../fileFields.ts';
import { askedFile, namedFileFields } from '../namedFile.ts';

const fields = {
  ...fileFields,
  ...areaFields,
  source: said(oneOf(['ai_generated', 'ai_modified', 'rasterized_text']), 'Where it is no photo: how it was made.'),
  view_once: said(holds(), 'It may be opened once.'),
  caption,
  ...namedFileFields,
} as const;

export const image = {
  description: 'A picture.',
  cloud: true,
  example: {
    mime_type: 'image/jpeg',
    sha256: 'jXuVMYGEKdVwJHVRpHvF0zeD0hJ8JxYF8yY7rWJzF1o=',
    bytes: 87_213,
    width: 1_600,
    height: 1_200,
    caption: 'Is this the right size?',
  },
  ...bodyShape(fields),
  out: {
    asked: askedFile('caption', 'view_once'),
    example: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H', caption: 'Is this the right size?' },
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
