import { base64, count, holds, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { fileFields } from '../fileFields.ts';
import { askedFile, namedFileFields } from '../namedFile.ts';

const fields = {
  ...fileFields,
  duration: said(count(), 'In seconds.'),
  voice: said(holds(), 'It was spoken in the chat: a voice message.'),
  waveform: said(base64(), 'How loud it is over its length: 64 bytes from 0 to 100, in base64.'),
  view_once: said(holds(), 'It may be heard once.'),
  ...namedFileFields,
} as const;

export const audio = {
  description: 'A voice message, or a file with sound.',
  cloud: true,
  example: {
    mime_type: 'audio/ogg; codecs=opus',
    sha256: 'R5dM4q3v2b1n0zXcVbNmAsDfGhJkLqWeRtYuIoP1234=',
    bytes: 15_322,
    duration: 6,
    voice: true,
  },
  ...bodyShape(fields),
  out: {
    asked: askedFile('voice', 'view_once'),
    example: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H', voice: true },
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
