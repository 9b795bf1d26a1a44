import { proto } from '@whiskeysockets/baileys';

/**
 * A message to the account's own phone that asks for a key of app state. Source of the form: `requestAppStateKeys` of
 * whatsmeow; that phones answer it as they answer there, nobody has verified here.
 */
export function toKeyRequest(keyId: string): proto.IMessage {
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_REQUEST,
      appStateSyncKeyRequest: { keyIds: [{ keyId: Buffer.from(keyId, 'base64') }] },
    },
  };
}
