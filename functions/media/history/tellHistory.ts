import { historyPartKey, historyWholeKey } from '../../../shared/event/facts/historyFact.ts';
import { publishFact, type FactQueue } from '../../../shared/event/publishFact.ts';
import { addCounts, historyFaults, NO_COUNTS, type NoticeInHand } from '../../../shared/history/historyNotice.ts';
import type { NoticeStore } from '../../../shared/history/noticeStore.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';

export interface TellHistoryParts extends FactQueue, Pick<Surroundings, 'clock'> {
  readonly notices: Pick<NoticeStore, 'list'>;
}

/** The progress at which the phone has sent all of a type. */
const WHOLE = 100;

/**
 * Tells what became of a part of a history, and, where it was the last one of its type, that all are done. Each is told once however often this is
 * called: of two parts that end together both find the same parts done.
 */
export async function tellHistory(parts: TellHistoryParts, notice: NoticeInHand): Promise<void> {
  const { connectionId, noticeId, type, chunk, progress, counts, fault, recordedAtMs, endedAtMs } = notice;
  const common = { kind: 'history', atMs: endedAtMs ?? recordedAtMs, type, chunk } as const;
  await publishFact(parts, notice, {
    ...common,
    key: historyPartKey(noticeId),
    progress,
    counts,
    ...(fault === undefined ? {} : { error: { code: fault, sentence: historyFaults[fault] } }),
  });
  const listed = await parts.notices.list(connectionId, parts.clock.nowMs());
  const all = type === 'on_demand' ? [notice] : listed.filter((one) => one.type === type);
  const isWhole = type === 'on_demand' || Math.max(...all.map((one) => one.progress)) >= WHOLE;
  const isOpen = all.some((one) => one.noticeId !== noticeId && one.state === 'waiting');
  if (!isWhole || isOpen) return;
  await publishFact(parts, notice, {
    ...common,
    key: historyWholeKey(all.map((one) => one.noticeId)),
    progress: WHOLE,
    counts: all.reduce((sum, one) => addCounts(sum, one.counts), NO_COUNTS),
    whole: {
      parts: all.length,
      failed: all.filter((one) => (one.noticeId === noticeId ? fault !== undefined : one.state === 'failed')).length,
    },
  });
}
