import { isPerson, toRecipient } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import type { Ask } from './asking.ts';

/** Refuses a call, or all calls with its id: a caller chooses the id, and one that somebody has copied rings as well. */
export const askCallReject: Ask<'call_reject'> = async (asking, { callId, caller }) => {
  const { calls, recipients, otherNameOf } = asking;
  const written = caller === undefined ? undefined : (toRecipient(caller) ?? caller);
  const known = calls
    .withId(callId)
    .filter((call) => written === undefined || [call.caller, call.callerAlias].includes(written));
  const [first] = known;
  if (first !== undefined) {
    for (const call of known) await calls.reject(call);
    const alias = first.callerAlias ?? (await otherNameOf(first.caller));
    return { outcome: 'succeeded', result: { callId, caller: toContact(first.caller, alias) } };
  }
  if (written === undefined || !isPerson(written)) return { outcome: 'refused', error: { code: 'call_not_found' } };
  const address = await recipients.resolve(written);
  if (address === undefined) return { outcome: 'refused', error: { code: 'recipient_has_no_account' } };
  await calls.reject({ callId, caller: address });
  return { outcome: 'succeeded', result: { callId, caller: toContact(address, await otherNameOf(address)) } };
};
