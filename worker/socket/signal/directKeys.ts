import type { SignalDataSet, SignalDataTypeMap, SignalKeyStore } from '@whiskeysockets/baileys';

/**
 * Lets some keys through to the store, past the transactions that Baileys holds open across the wire:
 * - Privacy tokens (`tctoken`). Baileys writes them when the transaction of the send is over, but still in its context:
 * the
 * write lands in what was committed long ago and is lost. Every message to a contact then issues a new token, and
 * tokens
 * of contacts are lost, without which WhatsApp may refuse a message (463). They are read from the store as well: that
 * context still holds the token of before.
 * - New pre-keys. A request to repeat carries one, and Baileys commits it after the request has left: a crash in
 * between
 * gives the contact a key whose private half nobody has.
 * @param joined the key store that all of Baileys works with; changed in place, because its parts have it by reference
 * @param store the same store outside every transaction
 */
export function letThrough(joined: SignalKeyStore, store: SignalKeyStore): void {
  const original = { ...joined };
  joined.get = <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) =>
    type === 'tctoken' ? store.get(type, ids) : original.get(type, ids);
  joined.set = (data: SignalDataSet) => (isDirect(data) ? store.set(data) : original.set(data));
}

function isDirect(data: SignalDataSet): boolean {
  return Object.entries(data).every(
    ([type, keys]) =>
      type === 'tctoken' || (type === 'pre-key' && Object.values(keys).every((preKey) => preKey !== null)),
  );
}
