import { isLid, parseJid, toPhoneJid } from '../../../shared/kernel/jid.ts';
import type { Session } from '../../session/session.ts';
import type { Me } from '../wire/envelope.ts';
import type { OtherNames } from '../wire/otherNames.ts';

/**
 * Finds the other name of each address, as far as it is known already: Baileys keeps in the session which LID belongs
 * to which number. Its own look-up would ask WhatsApp about a number that it does not know; while a stanza is handled
 * nothing may wait for that. What is read stays in the session's bounded memory, also that nothing is known.
 */
export async function findOtherNames(
  session: Pick<Session, 'getKeys'>,
  addresses: readonly string[],
  { phoneJid, lid }: Me,
): Promise<OtherNames> {
  const names = new Map<string, string>(
    lid === undefined
      ? []
      : [
          [phoneJid, lid],
          [lid, phoneJid],
        ],
  );
  const keys = new Map(addresses.filter((address) => !names.has(address)).flatMap((address) => keyOf(address)));
  if (keys.size === 0) return names;
  const found = await session.getKeys('lid-mapping', [...keys.values()]);
  for (const [address, key] of keys) {
    const user = found[key];
    if (typeof user === 'string') names.set(address, isLid(address) ? toPhoneJid(user) : `${user}@lid`);
  }
  return names;
}

/** The key under which Baileys keeps the other name of an address (`LIDMappingStore`). */
function keyOf(address: string): readonly (readonly [string, string])[] {
  const user = parseJid(address)?.user;
  return user === undefined ? [] : [[address, isLid(address) ? `${user}_reverse` : user]];
}
