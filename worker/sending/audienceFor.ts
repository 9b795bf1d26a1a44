import type { MessageId } from '../../shared/kernel/id.ts';
import { isStatus } from '../../shared/kernel/jid.ts';
import type { Audience } from '../../shared/message/audience.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { SendRequest } from '../socket/port/connectionSocket.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';

interface AudienceDependencies {
  readonly messages: Pick<MessageStore, 'audiences'>;
  readonly owned: Pick<OwnedConnection, 'connectionId'>;
  readonly assertOpen: () => void;
  readonly clock: { readonly nowMs: () => number };
}

/** The people whom a status is for. What is said about a status is for those to whom that one went. */
export function audienceFor(
  { messages: { audiences }, owned: { connectionId }, assertOpen, clock }: AudienceDependencies,
  { messageId, to, original }: SentMessage,
): Pick<SendRequest, 'audience'> {
  if (!isStatus(to)) return {};
  const find = async (id: MessageId) => (await audiences.find(connectionId, id)) ?? NOBODY;
  return {
    audience: {
      find: async () => {
        const own = await find(messageId);
        if (original === undefined || own.isSettled) return own;
        return { ...(await find(original.messageId)), isSettled: false };
      },
      settle: (viewers) => {
        assertOpen();
        return audiences.settle(connectionId, messageId, viewers, clock.nowMs());
      },
    },
  };
}

const NOBODY: Audience = { viewers: [], isSettled: false };
