import { z } from 'zod';
import { askedAbout } from '../aboutField.ts';
import type { ContentKind } from '../contentKind.ts';

const body = z.object(askedAbout);

export const revoke = {
  description:
    'A message is taken back for everybody: your own, or one of a group whose administrator the account is. It shows `deletedAt` once WhatsApp has it.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
  shown: body,
  out: { asked: body.strict(), acts: true },
} as const satisfies ContentKind<z.infer<typeof body>>;
