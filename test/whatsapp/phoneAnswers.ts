import { proto } from '@whiskeysockets/baileys';
import { decodePadded } from './content.ts';
import { stamp } from './node.ts';
import { findAddress, type Account, type World } from './world.ts';

type Request = proto.Message.IPeerDataOperationRequestMessage;

/**
 * A linked device got messages without content and asks its phone for them. The phone answers with those that it shows;
 * undefined if there is none. The key comes back as it was asked for.
 */
export function answerPlaceholders(
  world: World,
  account: Account,
  requestId: string,
  request: Request,
): proto.IMessage | undefined {
  const results = (request.placeholderMessageResendRequest ?? []).flatMap(({ messageKey }) => {
    const content = messageKey ? contentOf(world, account, messageKey) : undefined;
    if (!messageKey || content === undefined) return [];
    const webMessageInfoBytes = proto.WebMessageInfo.encode({
      key: messageKey,
      message: content.message,
      messageTimestamp: Number(stamp()),
      pushName: content.from.name,
    }).finish();
    return [{ placeholderMessageResendResponse: { webMessageInfoBytes } }];
  });
  if (results.length === 0) return undefined;
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
      peerDataOperationRequestResponseMessage: {
        peerDataOperationRequestType: proto.Message.PeerDataOperationRequestType.PLACEHOLDER_MESSAGE_RESEND,
        stanzaId: requestId,
        peerDataOperationResult: results,
      },
    },
  };
}

/** A phone gives its linked devices keys for app-state patches; the last one is that with which to write. */
export function shareAppStateKeys(
  keys: readonly { readonly id: Uint8Array; readonly data: Uint8Array }[],
): proto.IMessage {
  const fingerprint = { rawId: 1, currentIndex: 0, deviceIndexes: [0] };
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
      appStateSyncKeyShare: {
        keys: keys.map(({ id, data }) => ({
          keyId: { keyId: id },
          keyData: { keyData: data, fingerprint, timestamp: Number(stamp()) },
        })),
      },
    },
  };
}

/** A phone's transcript holds what is to be seen; the message itself is taken from the phone that wrote it. */
function contentOf(world: World, account: Account, key: proto.IMessageKey) {
  const { id, remoteJid, participant, fromMe } = key;
  const from = fromMe === true ? account : findAddress(world, participant ?? remoteJid ?? '')?.account;
  if (from === undefined || account.phone.shows(from.number, id ?? '') === undefined) return undefined;
  const kept = from.phone.kept(id ?? '');
  return kept === undefined ? undefined : { from, message: decodePadded(kept.message) };
}
