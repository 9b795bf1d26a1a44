import { toContact } from '../../../shared/message/party.ts';
import { toRemoveContactChange, toSaveContactChange } from '../appState/kinds/savedContact.ts';
import type { StateChange } from '../appState/writePatch.ts';
import type { Ask, Asking } from './asking.ts';
import { findPeople } from './namedPeople.ts';
import { judge, refused } from './sharedStateChange.ts';

/** The address book of the account, which its devices share. */
export const askAddressBookSave: Ask<'address_book_save'> = (asking, { contact, ...asked }) =>
  changeEntry(asking, contact, (names, nowMs) => toSaveContactChange(names, asked, nowMs), asked.fullName);

export const askAddressBookRemove: Ask<'address_book_remove'> = (asking, { contact }) =>
  changeEntry(asking, contact, toRemoveContactChange, null);

async function changeEntry(
  asking: Asking,
  written: string,
  toChange: (names: readonly string[], nowMs: number) => StateChange,
  saved: string | null,
) {
  const [person] = await findPeople(asking, [written]);
  const names = person?.names ?? [];
  if (names.length === 0) return refused({ code: 'recipient_has_no_account' });
  const refusal = judge(await asking.appState.write(toChange(names, asking.nowMs())));
  return refusal ?? ({ outcome: 'succeeded', result: { contact: toContact(...names), names: { saved } } } as const);
}
