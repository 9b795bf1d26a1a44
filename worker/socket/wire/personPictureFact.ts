import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import { pictureNoticeKey, type ContactChangeFact } from '../../../shared/event/facts/contactChangeFact.ts';
import { isPerson, withoutDevice } from '../../../shared/kernel/jid.ts';

/** The fact of a notice that a person has another picture, or none; undefined for that of a group, and for one that names nobody. */
export function toPersonPictureFact(notice: BinaryNode): ContactChangeFact | undefined {
  const { id, t } = notice.attrs;
  const contact = withoutDevice(notice.attrs['from'] ?? '');
  const set = getBinaryNodeChild(notice, 'set');
  const isTaken = getBinaryNodeChild(notice, 'delete') !== undefined;
  const pictureId = set?.attrs['id'];
  if (id === undefined || id === '' || !isPerson(contact) || (set === undefined && !isTaken)) return undefined;
  // A notice without a number says that there is another picture, and not which.
  if (set !== undefined && (pictureId === undefined || pictureId === '')) return undefined;
  return {
    kind: 'contact_change',
    key: pictureNoticeKey(id, contact),
    atMs: Number(t ?? 0) * 1_000,
    contact,
    ...(pictureId === undefined ? { hasNoPicture: true } : { pictureId }),
  };
}
