import type { MediaId, TenantId } from '../../shared/kernel/id.ts';
import { askToErase, type EraseMessageJob } from '../../shared/media/eraseJob.ts';
import { askForFiles, type MediaJob, type MediaQueue } from '../../shared/media/mediaJob.ts';
import type { FactInHand } from '../../shared/event/recording/factInHand.ts';
import type { LoggedEvent } from '../../shared/event/recording/loggedEvent.ts';
import type { TenantEvent } from '../../shared/event/event.ts';

/**
 * Has the files fetched that come with some events, and those erased whose messages were taken back, together. It is done before their records are, so a
 * file is asked for again when the function dies in between, and the second time it is found done or under way. Throws where the queue does not
 * take one.
 */
export async function askForFilesOf(
  queue: MediaQueue,
  recorded: readonly {
    readonly tenantId: TenantId;
    readonly events: readonly LoggedEvent[];
    readonly facts: readonly Pick<FactInHand, 'fact'>[];
  }[],
): Promise<void> {
  const jobs = recorded.flatMap(({ tenantId, events }) =>
    events.flatMap(({ text }) => pendingIn(text).map((mediaId): MediaJob => ({ version: 1, tenantId, mediaId }))),
  );
  if (jobs.length > 0) await askForFiles(queue, jobs);
  const erased = recorded.flatMap(({ tenantId, facts }) =>
    facts.flatMap(({ fact }): EraseMessageJob[] =>
      fact.kind === 'send_result' && fact.deletes === true && fact.changedId !== undefined
        ? [{ version: 1, kind: 'erase_message', tenantId, messageId: fact.changedId }]
        : [],
    ),
  );
  if (erased.length > 0) await askToErase(queue, erased);
}

/** The files in an event that are to be fetched. Most events have none, and are not taken apart. */
function pendingIn(text: string): readonly MediaId[] {
  if (!text.includes('"media":[')) return [];
  const event = JSON.parse(text) as TenantEvent;
  const media = mediaIn(event);
  return media.flatMap((one) => (one.state === 'pending' ? [one.id as MediaId] : []));
}

function mediaIn(event: TenantEvent) {
  if (event.type === 'message.received' || event.type === 'message.echo') return event.data.media ?? [];
  return event.type === 'message.updated' ? (event.data.part?.media ?? []) : [];
}
