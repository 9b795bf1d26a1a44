import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import { callKey, type CallFact } from '../../../shared/event/facts/callFact.ts';
import { isPerson, otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';

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
    rejected,
  };
}
