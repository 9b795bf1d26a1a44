import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { CallFact } from '../../../shared/event/internalEvent.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import { callKey } from './factKey.ts';

/** The fact of a call that somebody makes; undefined for what else is told of calls. */
export function toCallFact(stanza: BinaryNode, rejected: boolean): CallFact | undefined {
  const offer = getBinaryNodeChild(stanza, 'offer') ?? getBinaryNodeChild(stanza, 'offer_notice');
  const callId = offer?.attrs['call-id'];
  if (offer === undefined || callId === undefined) return undefined;
  const { 'call-creator': creator, 'group-jid': group, caller_pn: alias } = offer.attrs;
  const caller = withoutDevice(creator ?? stanza.attrs['from'] ?? '');
  return {
    kind: 'call',
    key: callKey(callId, caller),
    atMs: Number(stanza.attrs['t'] ?? 0) * 1_000,
    callId,
    caller,
    ...(alias === undefined || alias === caller ? {} : { callerAlias: withoutDevice(alias) }),
    ...(group === undefined ? {} : { group }),
    video: getBinaryNodeChild(offer, 'video') !== undefined,
    rejected,
  };
}
