import type { NumberLookUp } from '../../../shared/contact/numberLookUps.ts';
import { parsePhoneNumber, toPhoneJid } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import { toAccountQuery, toAccounts } from '../people/accountQuery.ts';
import { answerTo } from '../port/answerTo.ts';
import type { Ask, Asking } from './asking.ts';

/** The most numbers of one question: about as many as a phone asks for at a time. */
const NUMBERS_AT_ONCE = 50;

/**
 * Asks for the numbers that nobody knows yet, some in one query and the others in further tries, each by the budget of the kind.
 * Each answer is kept before the next question, so whoever goes on, on another socket or another worker, asks for none twice.
 * WhatsApp repeats each number that it was asked for beside its account, so an account that is written in another way is still the answer to
 * its number.
 */
export const askContactsCheck: Ask<'contacts_check'> = async (asking, { contacts }) => {
  const numbers = contacts.map((input) => ({ input, digits: parsePhoneNumber(input) }));
  const wanted = [...new Set(numbers.flatMap(({ digits }) => digits ?? []))];
  const known = new Map(wanted.length === 0 ? [] : await asking.lookUps.find(wanted));
  const unknown = wanted.filter((digits) => !known.has(digits));
  const asked = unknown.slice(0, NUMBERS_AT_ONCE);
  if (asked.length > 0) {
    const found = await ask(asking, asked);
    if (found === undefined) return { outcome: 'unanswered' };
    await asking.lookUps.keep(found);
    for (const [digits, answer] of found) known.set(digits, answer);
  }
  if (unknown.length > asked.length) return { outcome: 'partly', progress: { done: known.size, total: wanted.length } };
  for (const [digits, { exists, address }] of known) {
    if (exists && address !== undefined) asking.recipients.learn(toPhoneJid(digits), address);
  }
  return {
    outcome: 'succeeded',
    result: {
      contacts: numbers.map(({ input, digits }) => {
        if (digits === undefined) return { input, exists: false, problem: 'not_a_phone_number' as const };
        const { exists = false, address, lid } = known.get(digits) ?? {};
        return exists ? { input, exists, contact: toContact(address ?? toPhoneJid(digits), lid) } : { input, exists };
      }),
    },
  };
};

/** WhatsApp's answers by the digits that were asked for; undefined where it passes one over: to call that "no account" would be a guess. */
async function ask(asking: Asking, asked: readonly string[]): Promise<ReadonlyMap<string, NumberLookUp> | undefined> {
  const found = toAccounts(await answerTo(asking, toAccountQuery(asked, asking.makeTag())));
  if (asked.some((digits) => !found.has(digits))) return undefined;
  return new Map(asked.flatMap((digits) => [[digits, found.get(digits) ?? { exists: false }] as const]));
}
