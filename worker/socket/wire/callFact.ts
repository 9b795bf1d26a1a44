import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { CallFact } from '../../../shared/event/facts/fact.ts';
import { isPerson, otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';
import { callKey } from './factKey.ts';

/**
 * The fact of a call that somebody makes; undefined for what else is told of calls. Who calls is what WhatsApp's server wrote
 * on the stanza. The offer inside is the caller's own: what it says of who calls (`call-creator`, `caller_pn`) is not believed,
 * and the other name of the caller comes from what is known of him (`contactNames`). Which
 * group is called together is its word, too, for the caller of this to check.
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
    rejected,
  };
}
