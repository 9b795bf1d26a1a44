import { encodeWAMessage, type proto } from '@whiskeysockets/baileys';
import { decodePadded } from './content.ts';
import { bigEndian, bytesOf, child, node, numberOf, stamp, type BinaryNode } from './node.ts';
import type { KeyBundle } from './phone.ts';
import { keyNodes, takeBundle } from './queries.ts';
import { groupAttrs, type Copy } from './relay.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type World } from './world.ts';

/** Repetition of messages that could not be decrypted: phones ask for it, and answer those who ask (docs/whatsapp.md, "Receipts and acks"). */
const MOST_REQUESTS = 5;

/** A phone asks the sending device to seal a message again; undefined when it has asked too often. */
export function requestRepeat(account: Account, stanza: BinaryNode): BinaryNode | undefined {
  const { id = '', from = '', participant, recipient, t = stamp() } = stanza.attrs;
  const count = account.phone.failures.filter((failure) => failure.id === id).length;
  if (count > MOST_REQUESTS) return undefined;
  const attrs = {
    id,
    to: from,
    type: 'retry',
    ...(participant === undefined ? {} : { participant }),
    ...(recipient === undefined ? {} : { recipient }),
  };
  return node('receipt', attrs, [
    node('retry', { count: String(count), id, t, v: '1' }),
    node('registration', {}, bigEndian(account.phone.creds.registrationId, 4)),
    // Keys come along when the first repetition did not help either, as from real clients.
    ...(count > 1 ? [node('keys', {}, [...keyNodes(account.phone.takeBundle())])] : []),
  ]);
}

/** A device could not read what the phone sent: seals it again, with the keys that came along or fetched ones. */
export async function answerRetry(world: World, account: Account, receipt: BinaryNode): Promise<Copy | undefined> {
  const { id = '', from = '', participant } = receipt.attrs;
  const requester = findAddress(world, participant ?? from);
  const kept = account.phone.kept(id);
  if (requester === undefined || kept === undefined) return undefined;
  const jid = jidOf(requester.account, requester.device, 'lid');
  const bundle = bundleOf(receipt);
  if (bundle !== undefined) await account.phone.renewSession(jid, bundle);
  const group = world.groups.get(kept.to);
  const common = { id, type: 'text', t: stamp(), notify: account.name };
  const sealBytes = (message: Uint8Array) =>
    account.phone.seal(jid, message, () => takeBundle(world, jid), bundle === undefined);
  const seal = (message: proto.IMessage) => sealBytes(encodeWAMessage(message));
  const to = world.accounts.get(kept.to);
  const isOwn = requester.account === account;
  // The same bytes again, whatever they are. Elsewhere they go into another message, which only a message can do.
  const content = group === undefined && !isOwn ? {} : messageOf(kept.message);
  if (content === undefined) return undefined;
  if (group !== undefined) {
    const axolotlSenderKeyDistributionMessage = await account.phone.senderKey(group.id);
    const senderKeyDistributionMessage = { groupId: group.id, axolotlSenderKeyDistributionMessage };
    const sealed = await seal({ ...content, senderKeyDistributionMessage });
    const attrs = groupAttrs({ account, device: 0 }, group, common);
    return sealed && { ...requester, stanza: node('message', attrs, [toRepeatedEnc(sealed, receipt)]) };
  }
  if (to === undefined) return undefined;
  const recipient = jidOf(to, 0, WHATSAPP);
  const sealed = isOwn
    ? await seal({ deviceSentMessage: { destinationJid: recipient, message: content } })
    : await sealBytes(kept.message);
  const attrs = {
    ...common,
    from: jidOf(account, 0, WHATSAPP),
    ...(isOwn ? { recipient } : { sender_lid: jidOf(account, 0, 'lid') }),
  };
  return sealed && { ...requester, stanza: node('message', attrs, [toRepeatedEnc(sealed, receipt)]) };
}

/** The message in some bytes; undefined when they are none: a phone can be made to say anything. */
function messageOf(padded: Uint8Array): proto.IMessage | undefined {
  try {
    return decodePadded(padded);
  } catch {
    return undefined;
  }
}

function toRepeatedEnc(sealed: { readonly type: string; readonly ciphertext: Uint8Array }, receipt: BinaryNode) {
  const count = child(receipt, 'retry')?.attrs['count'] ?? '1';
  return node('enc', { v: '2', type: sealed.type, count }, sealed.ciphertext);
}

/** The keys that a request to repeat may carry. */
function bundleOf(receipt: BinaryNode): KeyBundle | undefined {
  const keys = child(receipt, 'keys');
  const [skey, key] = [child(keys, 'skey'), child(keys, 'key')];
  const [identity, value, signature] = [bytesOf(keys, 'identity'), bytesOf(skey, 'value'), bytesOf(skey, 'signature')];
  const registrationId = numberOf(receipt, 'registration');
  if (identity === undefined || value === undefined || signature === undefined || registrationId === undefined) {
    return undefined;
  }
  const preKeyValue = bytesOf(key, 'value');
  return {
    registrationId,
    identity,
    signedPreKey: { id: numberOf(skey, 'id') ?? 0, value, signature },
    preKey: preKeyValue === undefined ? undefined : { id: numberOf(key, 'id') ?? 0, value: preKeyValue },
  };
}
