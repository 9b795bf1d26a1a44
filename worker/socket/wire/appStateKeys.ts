import type { BinaryNode, proto, SignalDataTypeMap } from '@whiskeysockets/baileys';
import { isFromOwnAccount, type Me } from './envelope.ts';

type AppStateKey = SignalDataTypeMap['app-state-sync-key'];

/**
 * The app-state keys that another of our devices shares with us, by their id in base64 as Baileys keeps them; empty for
 * every other message and for every other sender. Baileys stores them after the receipt: a crash in between would lose
 * them for ever, and with them labels, mutes and archives.
 */
export function toAppStateKeys(
  stanza: BinaryNode,
  message: proto.IMessage | undefined,
  me: Me,
): Readonly<Record<string, AppStateKey>> {
  const shared = message?.protocolMessage?.appStateSyncKeyShare?.keys ?? [];
  if (shared.length === 0 || !isFromOwnAccount(stanza, me)) return {};
  return Object.fromEntries(
    shared.flatMap(({ keyId, keyData }): readonly (readonly [string, AppStateKey])[] =>
      keyId?.keyId?.length && keyData ? [[Buffer.from(keyId.keyId).toString('base64'), keyData]] : [],
    ),
  );
}
