import { proto, type makeWASocket } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { makeStanzaId } from '../../../shared/kernel/id.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { Me } from '../wire/envelope.ts';
import type { HeardHistories } from './heardHistories.ts';

export interface AskForHistoryParts extends Pick<Surroundings, 'random'> {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'relayMessage'>;
  readonly heard: Pick<HeardHistories, 'wait'>;
  readonly me: () => Me;
  /** Aborts when the socket has closed. */
  readonly signal: AbortSignal;
}

/** Asks the account's phone for a part of its history, and waits for its word. What it says later is recorded, too. */
export async function askForHistory(
  { socket, heard, me, random, signal }: AskForHistoryParts,
  request: proto.Message.IPeerDataOperationRequestMessage,
): Promise<'answered' | 'silent'> {
  const requestId = makeStanzaId(random);
  const answer = heard.wait(requestId, deadlines.phoneHistory.ms, signal);
  const message: proto.IMessage = {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_MESSAGE,
      peerDataOperationRequestMessage: request,
    },
  };
  await withDeadline('asking the phone for a history', deadlines.stanzaWrite.ms, () =>
    socket.relayMessage(me().phoneJid, message, {
      messageId: requestId,
      additionalAttributes: { category: 'peer', push_priority: 'high_force' },
      additionalNodes: [{ tag: 'meta', attrs: { appdata: 'default' } }],
    }),
  );
  return answer;
}
