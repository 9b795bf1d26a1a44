import type { AnyContentKind } from './contentKind.ts';
import { text } from './kinds/text.ts';
import { unsupported } from './kinds/unsupported.ts';

/**
 * Every kind of content. A new one is a file in `kinds` and a line here, and a file and a line in `worker/socket/wire`: request,
 * stored row, view, events and document follow from it.
 */
export const contentKinds = { text, unsupported } as const satisfies Readonly<Record<string, AnyContentKind>>;
