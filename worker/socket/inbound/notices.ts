import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { GroupMembers } from '../people/groupMembers.ts';
import type { KnownPeople } from '../people/knownPeople.ts';

export interface NoticesParts {
  readonly members: Pick<GroupMembers, 'forget'>;
  readonly people: Pick<KnownPeople, 'welcomeNewSession'>;
}

/** The types of WhatsApp's notices that matter to us. */
const NOTICE_TYPES = ['w:gp2', 'encrypt'] as const;
type NoticeType = (typeof NOTICE_TYPES)[number];

const hearers: Readonly<Record<NoticeType, (stanza: BinaryNode, parts: NoticesParts) => void | Promise<void>>> = {
  /** The group has changed, so WhatsApp is asked about its members again. */
  'w:gp2': ({ attrs }, { members }) => members.forget(attrs['from'] ?? ''),
  /**
   * A person who set WhatsApp up again has new keys: Baileys makes a new session, which must not wait for a failure.
   */
  encrypt: async (stanza, { people }) => {
    if (getBinaryNodeChild(stanza, 'identity') === undefined) return;
    await people.welcomeNewSession(stanza.attrs['from'] ?? '');
  },
};

/** Handles a notice before Baileys does, which handles and acknowledges it in every case. */
export async function hearNotice(stanza: BinaryNode, parts: NoticesParts): Promise<undefined> {
  const type = NOTICE_TYPES.find((known) => known === stanza.attrs['type']);
  if (type !== undefined) await hearers[type](stanza, parts);
}
