import type { OutboundContent } from '../content/content.ts';
import type { FieldProblem } from '../kernel/appError.ts';

/**
 * The times that a content itself names. A poll that has ended when it arrives takes no vote: it is refused, and one that
 * waits past its end is never sent.
 */
export function problemsOfContent(
  content: { readonly type: string },
  notBeforeMs: number | undefined,
  nowMs: number,
): readonly FieldProblem[] {
  const endMs = endOfUseMs(content);
  if (endMs === undefined || endMs > (notBeforeMs ?? nowMs)) return [];
  const problem = endMs <= nowMs ? 'must be in the future' : 'must be after not_before';
  return [{ field: 'poll.ends_at', problem }];
}

/** When a content is of no use any more, in milliseconds since 1970; undefined for what always is. */
export function endOfUseMs(content: { readonly type: string }): number | undefined {
  const { poll } = content as Partial<Extract<OutboundContent, { readonly type: 'poll' }>>;
  return poll?.ends_at === undefined ? undefined : Date.parse(poll.ends_at);
}

/** The first of some times, of which any may be left out. */
export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
