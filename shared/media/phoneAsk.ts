import type { MediaFile } from '../content/mediaFile.ts';

/**
 * A file that WhatsApp no longer has is asked of the account's own phone, which got the message too and may upload it again. It answers when it is
 * online, which may be days later or never. So nothing waits for it: the row says how often it was asked and what it said, and the queue of files
 * looks again.
 *
 * | the phone says | then                                                                              |
 * | -------------- | --------------------------------------------------------------------------------- |
 * | `given`        | the file lies at another place, and is fetched from there                         |
 * | `absent`       | it does not have the message or the file any more, or another key: it is `gone`   |
 * | `failed`       | it could not at that moment: it is asked again                                    |
 * | nothing        | it is off: it is asked again, and in the end the file has failed, `phone_offline` |
 */
export const phoneAnswers = ['given', 'absent', 'failed'] as const;
export type PhoneAnswer = (typeof phoneAnswers)[number];

/** How often the phone was asked for a file, and when last. */
export interface AskedOfPhone {
  readonly times: number;
  readonly atMs: number;
}

/** What is to become of a file that WhatsApp does not have. */
export type AskDecision =
  | { readonly decision: 'ask'; readonly pauseMs: number }
  /** The phone was asked and may still answer. */
  | { readonly decision: 'wait'; readonly pauseMs: number }
  | { readonly decision: 'end'; readonly fault: 'gone' | 'phone_offline' };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * How long an answer is waited for after each time that the phone was asked, in milliseconds: over a weekend and a day in all, since a phone may lie
 * in an office. A phone that is online answers within seconds.
 */
export const askPausesMs: readonly number[] = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
];

/** What is known of a file that WhatsApp does not have. */
export interface LostFile {
  readonly file: Pick<MediaFile, 'key'>;
  readonly shard?: number | undefined;
  readonly asked?: AskedOfPhone | undefined;
  readonly answer?: PhoneAnswer | undefined;
}

/** Decides about a file that WhatsApp does not have. What has no key was never sealed, such as a file of a channel: no phone can give that. */
export function decideAsk({ file, shard, asked, answer }: LostFile, nowMs: number): AskDecision {
  if (file.key === undefined || shard === undefined || answer === 'absent') return { decision: 'end', fault: 'gone' };
  const times = asked?.times ?? 0;
  const leftMs = asked === undefined ? 0 : asked.atMs + (askPausesMs[times - 1] ?? 0) - nowMs;
  if (leftMs > 0) return { decision: 'wait', pauseMs: leftMs };
  const pauseMs = askPausesMs[times];
  if (pauseMs !== undefined) return { decision: 'ask', pauseMs };
  return { decision: 'end', fault: answer === undefined ? 'phone_offline' : 'gone' };
}
