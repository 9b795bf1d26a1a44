import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import { callKey, type CallFact } from '../../../shared/event/facts/callFact.ts';
import { callStatusKey, type CallState, type CallStatusFact } from '../../../shared/event/facts/callStatusFact.ts';
import { isPerson, otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { isMe, type Me } from './envelope.ts';

/**
 * The fact of a call to the account; undefined for other stanzas about calls. The caller is the address that WhatsApp's
 * server wrote on the stanza. The offer inside is the caller's own: its fields about the caller (`call-creator`,
 * `caller_pn`) are not believed, and the other name of the caller comes from what is known of them (`contactNames`).
 * The group that is called together is the caller's word, too, which the user of this function checks.
 */
export function toCallFact(stanza: BinaryNode, rejected: boolean): CallFact | undefined {
  const offer = getBinaryNodeChild(stanza, 'offer') ?? getBinaryNodeChild(stanza, 'offer_notice');
  const callId = offer?.attrs['call-id'];
  if (offer === undefined || callId === undefined) return undefined;
  const { from = '', sender_lid: lid, sender_pn: number } = stanza.attrs;
  const caller = withoutDevice(from);
  if (!isPerson(caller)) return undefined;
  const alias = otherNameOf(caller, [lid, number]);
  const group = offer.attrs['group-jid'];
  return {
    kind: 'call',
    key: callKey(callId, caller),
    atMs: Number(stanza.attrs['t'] ?? 0) * 1_000,
    callId,
    caller,
    ...(alias === undefined ? {} : { callerAlias: alias }),
    ...(group === undefined ? {} : { group }),
    video: getBinaryNodeChild(offer, 'video') !== undefined,
    isGroupCall: group !== undefined || getBinaryNodeChild(offer, 'group_info') !== undefined,
    rejected,
  };
}

/** What the end of a call says of why it ended; every other reason is the end of it. Believed; Baileys knows `timeout` alone. */
const ENDS: Readonly<Record<string, CallState>> = {
  timeout: 'timeout',
  accepted_elsewhere: 'accepted',
  rejected_elsewhere: 'rejected',
};

/**
 * The fact of what has become of a call to the account; undefined for other stanzas about calls. It is the word of the
 * caller on the caller's own call, or that of another of our devices, which names the caller. Who else says something of a
 * call says it of one that we are not told of: one of our own, on another device.
 */
export function toCallStatusFact(stanza: BinaryNode, me: Me): CallStatusFact | undefined {
  const [tag, child] = ['accept', 'reject', 'terminate']
    .map((name) => [name, getBinaryNodeChild(stanza, name)] as const)
    .find(([, found]) => found !== undefined) ?? ['', undefined];
  const callId = child?.attrs['call-id'];
  if (child === undefined || callId === undefined || callId === '') return undefined;
  const { from = '', sender_lid: lid, sender_pn: number } = stanza.attrs;
  const creator = withoutDevice(child.attrs['call-creator'] ?? '');
  const isOurs = isMe(withoutDevice(from), me);
  const caller = isOurs ? creator : withoutDevice(from);
  if (!isPerson(caller) || isMe(caller, me) || isMe(creator, me)) return undefined;
  const alias = isOurs ? undefined : otherNameOf(caller, [lid, number]);
  const state = tag === 'terminate' ? (tableEntry(ENDS, child.attrs['reason'] ?? '') ?? 'ended') : `${tag}ed`;
  return {
    kind: 'call_status',
    key: callStatusKey(callId, caller, state as CallState),
    atMs: Number(stanza.attrs['t'] ?? 0) * 1_000,
    callId,
    caller,
    ...(alias === undefined ? {} : { callerAlias: alias }),
    state: state as CallState,
  };
}
