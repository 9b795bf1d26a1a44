import type { AnyContentKind } from './contentKind.ts';
import { text } from './kinds/text.ts';
import { unsupported } from './kinds/unsupported.ts';

/**
 * Every kind of content. A new one is a file in `kinds` and a line here, a file and a line in `shared/wire` if it is received,
 * and in `worker/socket/wire` if it is sent: request, stored row, view, events and document follow from it.
 */
export const contentKinds = { text, unsupported } as const satisfies Readonly<Record<string, AnyContentKind>>;
