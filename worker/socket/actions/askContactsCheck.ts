import { parsePhoneNumber, toPhoneJid } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import { toAccountQuery, toAccounts, type Account } from '../people/accountQuery.ts';
import { answerTo } from '../port/answerTo.ts';
import type { Ask } from './asking.ts';

/**
 * Asks for all numbers in one query. WhatsApp repeats each number that it was asked for beside its account, so an account that is
 * written in another way is still the answer to its number.
 */
export const askContactsCheck: Ask<'contacts_check'> = async (asking, { contacts }) => {
  const numbers = contacts.map((input) => ({ input, digits: parsePhoneNumber(input) }));
  const asked = [...new Set(numbers.flatMap(({ digits }) => digits ?? []))];
  const found =
    asked.length === 0
      ? new Map<string, Account>()
      : toAccounts(await answerTo(asking, toAccountQuery(asked, asking.makeTag())));
  // A number that WhatsApp passes over is not known: to call it "no account" would be a guess.
  if (asked.some((digits) => !found.has(digits))) return { outcome: 'unanswered' };
  for (const [digits, { exists, address }] of found) {
    if (exists && address !== undefined) asking.recipients.learn(toPhoneJid(digits), address);
  }
  return {
    outcome: 'succeeded',
    result: {
      contacts: numbers.map(({ input, digits }) => {
        if (digits === undefined) return { input, exists: false, problem: 'not_a_phone_number' as const };
        const { exists = false, address, lid } = found.get(digits) ?? {};
        return exists ? { input, exists, contact: toContact(address ?? toPhoneJid(digits), lid) } : { input, exists };
      }),
    },
  };
};
