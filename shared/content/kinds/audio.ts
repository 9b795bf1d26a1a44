import { base64, count, holds, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { fileFields } from '../fileFields.ts';

const fields = {
  ...fileFields,
  duration: said(count(), 'In seconds.'),
  voice: said(holds(), 'It was spoken in the chat: a voice message.'),
  waveform: said(base64(), 'How loud it is over its length: 64 bytes from 0 to 100, in base64.'),
  view_once: said(holds(), 'It may be heard once.'),
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
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
