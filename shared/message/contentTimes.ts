import type { OutboundContent } from '../content/content.ts';
import type { FieldProblem } from '../kernel/appError.ts';

/** The times that a content itself names. */
interface OwnTimes {
  /** The field that must lie in the future when the message leaves, and its time in milliseconds since 1970. */
  readonly field: string;
  readonly mustFollowMs: number;
  /** When the content is of no use any more. */
  readonly endMs: number;
}

/**
 * What is wrong with the times that a content itself names. Nobody votes in a poll that has ended when it arrives, and nobody
 * comes to an event that has begun: both are refused, as phones do.
 */
export function problemsOfContent(
  content: { readonly type: string },
  notBeforeMs: number | undefined,
  nowMs: number,
): readonly FieldProblem[] {
  const own = ownTimes(content);
  if (own === undefined || own.mustFollowMs > (notBeforeMs ?? nowMs)) return [];
  const problem = own.mustFollowMs <= nowMs ? 'must be in the future' : 'must be after not_before';
  return [{ field: own.field, problem }];
}

/**
 * When a content is of no use any more, in milliseconds since 1970; undefined for what always is. What waits past it is never
 * sent: the end of a poll, and that of an event, or its beginning where it names no end.
 */
export function endOfUseMs(content: { readonly type: string }): number | undefined {
  return ownTimes(content)?.endMs;
}

function ownTimes(content: { readonly type: string }): OwnTimes | undefined {
  const { poll, event } = content as Partial<OutboundOf<'poll'> & OutboundOf<'event'>>;
  if (poll?.ends_at !== undefined) {
    const endMs = Date.parse(poll.ends_at);
    return { field: 'poll.ends_at', mustFollowMs: endMs, endMs };
  }
  if (event?.starts_at === undefined) return undefined;
  const mustFollowMs = Date.parse(event.starts_at);
  return { field: 'event.starts_at', mustFollowMs, endMs: Date.parse(event.ends_at ?? event.starts_at) };
}

type OutboundOf<Type extends string> = Omit<Extract<OutboundContent, { readonly type: Type }>, 'type'>;

/** The first of some times, of which any may be left out. */
export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
