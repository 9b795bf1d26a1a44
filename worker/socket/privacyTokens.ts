import type { SignalDataSet, SignalDataTypeMap, SignalKeyStore } from '@whiskeysockets/baileys';

/**
 * Lets privacy tokens (`tctoken`) through to the store. Baileys writes them when the transaction of the send is over, but
 * still in its context: the write lands in what was committed long ago and is lost. Every message to a contact then issues
 * a new token, and those of contacts are lost, without which WhatsApp may refuse a message (463).
 *
 * They are read from the store as well: that context still holds the token of before.
 *
 * @param joined the key store that all of Baileys works with; changed in place, because its parts have it by reference
 * @param store the same store outside every transaction
 */
export function letPrivacyTokensThrough(joined: SignalKeyStore, store: SignalKeyStore): void {
  const original = { ...joined };
  joined.get = <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) =>
    type === 'tctoken' ? store.get(type, ids) : original.get(type, ids);
  joined.set = (data: SignalDataSet) =>
    Object.keys(data).every((type) => type === 'tctoken') ? store.set(data) : original.set(data);
}
