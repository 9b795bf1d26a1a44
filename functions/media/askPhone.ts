import { enqueueCommand } from '../../shared/message/command.ts';
import { decideAsk } from '../../shared/media/phoneAsk.ts';
import type { Media } from '../../shared/media/media.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { MediaFault } from '../../shared/media/mediaFaults.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface AskDependencies extends MediaQueue, Pick<Surroundings, 'clock' | 'metrics'> {
  readonly media: Pick<MediaStore, 'noteAsked'>;
}

/** What is to become of the job of a file that WhatsApp no longer has: it is looked at again after a pause, or it ends. */
export type Asked = { readonly againInMs: number } | { readonly fault: MediaFault };

/**
 * Has the account's phone asked for a file that WhatsApp no longer has, by the worker that has the connection; its answer puts a new job into the
 * queue. The row says first that the phone is asked, then the command is put into the queue. Whoever looks in the pause between two times puts the
 * same command again: so one that was lost with its sender is made up for, and SQS takes the same one once in five minutes.
 */
export async function askPhone(dependencies: AskDependencies, media: Media): Promise<Asked> {
  const { media: store, clock, metrics } = dependencies;
  const decided = decideAsk(media, clock.nowMs());
  if (decided.decision === 'end') return { fault: decided.fault };
  const { mediaId, tenantId, connectionId, correlationId, round, shard = 0 } = media;
  let times = media.asked?.times ?? 0;
  if (decided.decision === 'ask') {
    // Another one was faster, and asks.
    if (!(await store.noteAsked(media))) return { againInMs: decided.pauseMs };
    times += 1;
    metrics.count('FilesAskedOfPhone', {});
  }
  const command = { version: 1, kind: 'file', tenantId, connectionId, correlationId, mediaId } as const;
  await enqueueCommand(dependencies, shard, command, `${mediaId}-${round}-${times}`);
  return { againInMs: decided.pauseMs };
}
