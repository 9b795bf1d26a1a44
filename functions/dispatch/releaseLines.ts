import type { BulkSend } from '../../shared/bulk/bulkSend.ts';
import type { BulkLineStore, ReleasedLine } from '../../shared/bulk/bulkLineStore.ts';
import { messageOfLine } from '../../shared/bulk/messageOfLine.ts';
import { enqueueMessages, type CommandQueue } from '../../shared/message/command.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface ReleaseDependencies extends Pick<Surroundings, 'clock' | 'random'>, CommandQueue {
  readonly bulkLines: Pick<BulkLineStore, 'read' | 'put'>;
}

/** The length of the secret of a message, in bytes: WhatsApp's own. */
const SECRET_BYTES = 32;

/**
 * Makes messages of lines, and then puts their commands into the queue, in the order of the lines. Made twice it comes to the same:
 * rows that are there stay as they are, and only what is still to be sent, or was cancelled, has its owner told.
 */
export async function releaseLines(
  dependencies: ReleaseDependencies,
  bulk: BulkSend,
  from: number,
  until: number,
): Promise<void> {
  const { bulkLines, clock, random } = dependencies;
  const lines = await bulkLines.read(bulk, from, until);
  const atMs = clock.nowMs();
  const made: readonly (ReleasedLine & { readonly to: string })[] = await Promise.all(
    lines.map(async (kept, index) => {
      const line = from + index;
      const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
      const message = { ...messageOfLine(bulk, line, kept, { state: 'queued', atMs }), secret };
      return { ...(await bulkLines.put(bulk, line, message)), to: kept.to };
    }),
  );
  const told = made.filter(({ state }) => state === 'queued' || state === 'cancelled');
  const { tenantId, connectionId, correlationId, shard } = bulk;
  await enqueueMessages(
    dependencies,
    shard,
    told.map(({ messageId, to }) => ({
      to,
      command: { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const,
    })),
  );
}
