import { count, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { caption, fileFields } from '../fileFields.ts';
import { askedFile, namedFileFields } from '../namedFile.ts';

const fields = {
  ...fileFields,
  filename: word(),
  title: word(),
  pages: count(),
  caption: said(
    caption,
    'What was written to the file. WhatsApp wraps such a file (`documentWithCaption` in `flags`).',
  ),
  ...namedFileFields,
} as const;

export const document = {
  description: 'A file.',
  cloud: true,
  example: {
    mime_type: 'application/pdf',
    sha256: 'Zx8kV1s0Qm4nT7yB2wE5rU9pA3dF6gH1jK4lC8vX0bM=',
    bytes: 204_118,
    filename: 'invoice-2041.pdf',
    pages: 2,
    caption: 'The invoice, as promised',
  },
  ...bodyShape(fields),
  out: {
    asked: askedFile('caption', 'filename'),
    example: {
      id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
      filename: 'invoice-2041.pdf',
      caption: 'The invoice, as promised',
    },
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
