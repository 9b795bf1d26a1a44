import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';

/**
 * The notice with which a phone shares its history with a device that is new. It is small, carries no chats, and travels
 * in the message itself; a client that gets none holds its messages back for 20 s (docs/whatsapp.md, "History").
 */
export function makeHistoryNotice(): proto.IMessage {
  const syncType = proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP;
  const history = proto.HistorySync.encode({ syncType, conversations: [], progress: 100 }).finish();
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        syncType,
        chunkOrder: 1,
        progress: 100,
        initialHistBootstrapInlinePayload: deflateSync(history),
      },
    },
  };
}
