import { isPerson, otherNameOf } from '../../../../shared/kernel/jid.ts';
import { chatIn, type StateKind } from './stateKind.ts';

/** The name that the account has given a person in its address book; it goes with the entry. */
export const savedContact: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const contact = chatIn(name);
    const { fullName, firstName, lidJid, pnJid } = value.contactAction ?? {};
    const saved = isRemoved ? '' : (fullName ?? firstName ?? undefined);
    if (contact === undefined || !isPerson(contact) || saved === undefined || saved === null) return undefined;
    const alias = otherNameOf(contact, [lidJid ?? undefined, pnJid ?? undefined]);
    return {
      kind: 'contact_change',
      key,
      atMs,
      contact,
      ...(alias === undefined ? {} : { contactAlias: alias }),
      saved,
    };
  },
};
