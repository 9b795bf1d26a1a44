/**
 * WhatsApp addresses: `user[:device]@server`. Stored without device unless the name says `deviceJid`.
 * A LID (`@lid`) names a person by a hidden number that is not a phone number; never read one as a phone number.
 */
export interface Jid {
  readonly user: string;
  readonly device: number;
  readonly server: string;
}

const JID = /^([\w.+-]{1,100})(?::(\d{1,5}))?@([a-z.]{1,30})$/;

/**
 * The form of the user part of an address, by server, where messages can be sent to it. The number of a person or group
 * consists of digits only.
 */
const userForms: ReadonlyMap<string, RegExp> = new Map([
  ['s.whatsapp.net', /^\d{1,20}$/],
  ['lid', /^\d{1,20}$/],
  ['g.us', /^\d{1,25}(?:-\d{1,25})?$/],
]);

/** The parts of an address, or undefined if the text is none. */
export function parseJid(text: string): Jid | undefined {
  const match = JID.exec(text);
  if (match === null) return undefined;
  const [, user = '', device = '0', written = ''] = match;
  const server = written === 'c.us' ? 's.whatsapp.net' : written;
  if (userForms.get(server)?.test(user) === false) return undefined;
  return { user, device: Number(device), server };
}

/**
 * The address of a recipient, from a phone number in international form or a WhatsApp address of a person or group; undefined
 * for every other text, also for addresses to which nobody can write and for those of single devices. Spaces around it, which
 * come along when a number is pasted, do not count.
 */
export function toRecipient(written: string): string | undefined {
  const text = written.replaceAll(/^ +| +$/g, '');
  const digits = parsePhoneNumber(text);
  if (digits !== undefined) return toPhoneJid(digits);
  const jid = parseJid(text);
  if (jid === undefined || jid.device !== 0 || !userForms.has(jid.server)) return undefined;
  if (jid.server === 's.whatsapp.net' && parsePhoneNumber(jid.user) === undefined) return undefined;
  return `${jid.user}@${jid.server}`;
}

/** The address of the person or group behind a device address; text that is no address is returned unchanged. */
export function withoutDevice(text: string): string {
  const jid = parseJid(text);
  return jid === undefined ? text : `${jid.user}@${jid.server}`;
}

/** Whether the address is a hidden user id. */
export function isLid(text: string): boolean {
  return parseJid(text)?.server === 'lid';
}

/** The address of every status, whoever writes it: its author stands beside it, and its audience nowhere. */
export const STATUS = 'status@broadcast';

export function isStatus(address: string): boolean {
  return address === STATUS;
}

/** The address of a channel as this API shows it; undefined for every other text. Nobody in it is written to by it, so it is no recipient of what is for people. */
export function toChannel(written: string): string | undefined {
  const text = written.trim();
  return isChannel(text) && /^\d{1,25}@/.test(text) ? text : undefined;
}

/** Whether the address is that of a channel, where nothing is sealed and posts go to followers whom nobody names. */
export function isChannel(address: string): boolean {
  return address.endsWith('@newsletter');
}

/** Whether the address is a person's, by phone number or by LID. */
export function isPerson(text: string): boolean {
  const server = parseJid(text)?.server;
  return server === 'lid' || server === 's.whatsapp.net';
}

/**
 * The digits of an international phone number written in any usual way (`+49 151 …`, `0049…` is not international form
 * here). Returns undefined when the text cannot be one: 7 to 15 digits, not starting with 0 (E.164).
 */
export function parsePhoneNumber(text: string): string | undefined {
  if (!/^\+?[\d\s().-]+$/.test(text)) return undefined;
  const digits = text.replaceAll(/\D/g, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined;
}

/** The phone-number address for digits that {@link parsePhoneNumber} gave. */
export function toPhoneJid(digits: string): string {
  return `${digits}@s.whatsapp.net`;
}

/** The phone number of a phone-number address, like `+49…`; undefined for every other address. */
export function phoneNumberOf(text: string): string | undefined {
  const jid = parseJid(text);
  return jid?.server === 's.whatsapp.net' ? `+${jid.user}` : undefined;
}

/** The address among the candidates that is the other name of a person: a number for a LID, a LID for a number. */
export function otherNameOf(address: string, candidates: readonly (string | undefined)[]): string | undefined {
  if (!isPerson(address)) return undefined;
  const wanted = isLid(address) ? 's.whatsapp.net' : 'lid';
  const found = candidates.find((candidate) => candidate !== undefined && parseJid(candidate)?.server === wanted);
  return found === undefined ? undefined : withoutDevice(found);
}

/** The last four digits, the most of a phone number that a log may hold. */
export function maskPhoneNumber(digits: string): string {
  return `…${digits.slice(-4)}`;
}

/** What a log may say of an address: the end of its digits. */
export function maskAddress(jid: string): string {
  return maskPhoneNumber(withoutDevice(jid).split('@')[0] ?? '');
}
