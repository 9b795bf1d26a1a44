import { namesKey } from '../event/facts/contactChangeFact.ts';
import { mergedKey } from '../event/facts/contactMergedFact.ts';
import type { Fact } from '../event/facts/factRows.ts';
import { isLid, toPhoneJid } from '../kernel/jid.ts';
import type { Contact } from './contact.ts';
import type { ContactNews, KnownRows } from './planSighting.ts';

/** The fact that tells news of a person. */
export function toNewsFact(news: ContactNews, rows: KnownRows, nowMs: number): Fact {
  if (news.news === 'merged') {
    const { from, into } = news;
    return {
      kind: 'contact_merged',
      key: mergedKey(from.id, into.id, from.firstSeenAtMs),
      atMs: nowMs,
      ...named(into),
      was: from.id,
    };
  }
  const { contact, changed } = news;
  const version = rows.find(contact.id)?.version ?? 0;
  const key = namesKey(contact.id, version, [changed.push, changed.username]);
  return { kind: 'contact_change', key, atMs: nowMs, ...named(contact), ...changed };
}

function named(contact: Contact): { readonly contact: string; readonly contactAlias?: string } {
  const { id, number } = contact;
  const alias = isLid(id) && number ? toPhoneJid(number) : undefined;
  return { contact: id, ...(alias === undefined ? {} : { contactAlias: alias }) };
}
