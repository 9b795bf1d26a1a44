import { TOKEN_MAP } from '@whiskeysockets/baileys/lib/WABinary/constants.js';

/**
 * Makes Baileys write texts such as `constructor` as what they are. It looks each text up in an object, for the one or two
 * bytes by which WhatsApp abbreviates it, and there such a name is that of every object: the text would leave as an empty
 * one, and a group would be made without its name. Without a prototype the object knows its own entries alone.
 */
export function knowOwnTokensOnly(): void {
  Object.setPrototypeOf(TOKEN_MAP, null);
}
