import type { BodyOf } from '../../content/content.ts';
import { withoutDevice } from '../../kernel/jid.ts';
import { mediaOf } from '../files.ts';
import { toMoment } from '../moment.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { bytes, integer, part, shape, text, texts, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

type Body = BodyOf<'history_shared'>;

const BUNDLE = 70;
const NOTICE = 102;
const metadata = shape({ receivers: texts(1), oldestInWindow: integer(2), messages: integer(3), oldest: integer(5) });
const bundle = shape({
  mimeType: text(1),
  sha256: bytes(2),
  key: bytes(3),
  sealedSha256: bytes(4),
  path: text(5),
  keyAt: integer(6),
  metadata: part(8, metadata),
});

export const historyShared: Understood<Body> = inFields<Body>([
  fieldOf({
    field: BUNDLE,
    shape: bundle,
    context: 7,
    toBody: (read): Body => ({ ...told(read.metadata), bundle: true }),
    files: (read) => mediaOf('history', read),
  }),
  fieldOf({
    field: NOTICE,
    shape: shape({ metadata: part(2, metadata) }),
    context: 1,
    toBody: (read): Body => told(read.metadata),
  }),
]);

function told({ receivers, oldestInWindow, messages, oldest }: Read<typeof metadata> = {}): Body {
  return { messages, oldest_at: toMoment(oldest ?? oldestInWindow), receivers: receivers?.map(withoutDevice) };
}
