import type { SendErrorCode } from '../../shared/message/sendError.ts';
import { failMessage, readMessage, type SendDependencies } from './sendCommand.ts';

/** The number of parked messages that are read at a time. */
const PAGE = 100;

/** Fails all parked messages of a connection. The caller holds the connection's turn to send. */
export async function failParked(dependencies: SendDependencies, error: SendErrorCode): Promise<void> {
  const { messages, owned, assertOpen } = dependencies;
  for (;;) {
    const parked = await messages.listParked(owned.connectionId, PAGE);
    if (parked.length === 0) return;
    for (const { messageId, sequenceNumber } of parked) {
      assertOpen();
      const message = await readMessage(dependencies, { messageId, source: 'parked' });
      if (message !== 'settled') await failMessage(dependencies, message, error);
      assertOpen();
      await messages.unpark(owned, sequenceNumber);
    }
  }
}
