import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import { blockNoticeKey, type ContactChangeFact } from '../../../shared/event/facts/contactChangeFact.ts';
import { isPerson, otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';

/** The most people whom one notice names that are told: a phone blocks one at a time. */
const MOST_ITEMS = 100;

/** The facts of a notice that the account has blocked people or does so no longer; none for any other notice. */
export function toBlockFacts(notice: BinaryNode): readonly ContactChangeFact[] {
  const { id, t } = notice.attrs;
  if (id === undefined || id === '') return [];
  const items = getBinaryNodeChildren(getBinaryNodeChild(notice, 'blocklist'), 'item').slice(0, MOST_ITEMS);
  return items.flatMap(({ attrs }): readonly ContactChangeFact[] => {
    const contact = withoutDevice(attrs['jid'] ?? '');
    const { action } = attrs;
    if (!isPerson(contact) || (action !== 'block' && action !== 'unblock')) return [];
    const alias = otherNameOf(contact, [attrs['pn_jid']]);
    return [
      {
        kind: 'contact_change',
        key: blockNoticeKey(id, contact),
        atMs: Number(t ?? 0) * 1_000,
        contact,
        ...(alias === undefined ? {} : { contactAlias: alias }),
        blocked: action === 'block',
      },
    ];
  });
}
