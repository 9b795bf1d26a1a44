import { isPerson, otherNameOf, phoneNumberOf } from '../../../../shared/kernel/jid.ts';
import type { StateChange, StateEntry } from '../writePatch.ts';
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

/** An entry of the address book as it is asked for. */
export interface AddressBookEntry {
  readonly fullName: string;
  readonly firstName?: string | undefined;
  /** Whether the phone takes it into the address book that it has outside of WhatsApp. */
  readonly saveOnPhone: boolean;
}

const COLLECTION = 'critical_unblock_low';
/** Source of the form: Baileys (`contact`), and the fields of WhatsApp's protocol. */
const FORM_VERSION = 2;

/**
 * The change that saves a person under a name. It stands under the phone number where that is known, and names the LID beside.
 * @param names all addresses of the person that are known: at least one
 */
export function toSaveContactChange(names: readonly string[], asked: AddressBookEntry, nowMs: number): StateChange {
  const name = names.find((one) => phoneNumberOf(one) !== undefined) ?? names[0] ?? '';
  const lidJid = names.find((one) => phoneNumberOf(one) === undefined);
  const contactAction = {
    fullName: asked.fullName,
    ...(asked.firstName === undefined ? {} : { firstName: asked.firstName }),
    ...(lidJid === undefined || lidJid === name ? {} : { lidJid }),
    saveOnPrimaryAddressbook: asked.saveOnPhone,
  };
  const value = { contactAction, timestamp: nowMs };
  return { collection: COLLECTION, entries: [{ index: ['contact', name], value, formVersion: FORM_VERSION }] };
}

/** The change that takes a person out of the address book, under whichever of their addresses they stand in it. */
export function toRemoveContactChange(names: readonly string[], nowMs: number): StateChange {
  const entries = names.map((name): StateEntry => ({
    index: ['contact', name],
    value: { contactAction: {}, timestamp: nowMs },
    formVersion: FORM_VERSION,
    operation: 'remove',
  }));
  return { collection: COLLECTION, entries };
}
