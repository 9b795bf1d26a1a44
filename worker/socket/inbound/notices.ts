import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { AppState } from '../appState/appState.ts';
import type { GroupMembers } from '../people/groupMembers.ts';
import type { PhoneFiles } from '../files/phoneFiles.ts';
import type { KnownPeople } from '../people/knownPeople.ts';
import type { Fate } from './inboundOrder.ts';

export interface NoticesParts {
  readonly members: Pick<GroupMembers, 'forget'>;
  readonly people: Pick<KnownPeople, 'welcomeNewSession'>;
  readonly appState: Pick<AppState, 'notice'>;
  readonly files: Pick<PhoneFiles, 'hear'>;
}

/** The types of WhatsApp's notices that matter to us. */
const NOTICE_TYPES = ['w:gp2', 'encrypt', 'server_sync', 'mediaretry'] as const;
type NoticeType = (typeof NOTICE_TYPES)[number];

const hearers: Readonly<Record<NoticeType, (stanza: BinaryNode, parts: NoticesParts) => Fate | Promise<Fate>>> = {
  /** The group has changed, so WhatsApp is asked about its members again. */
  'w:gp2': ({ attrs }, { members }) => {
    members.forget(attrs['from'] ?? '');
    return undefined;
  },
  /**
   * A person who set WhatsApp up again has new keys: Baileys makes a new session, which must not wait for a failure.
   */
  encrypt: async (stanza, { people }) => {
    if (getBinaryNodeChild(stanza, 'identity') !== undefined)
      await people.welcomeNewSession(stanza.attrs['from'] ?? '');
    return undefined;
  },
  /** Something has changed in the state that the account's devices share. Baileys would fetch it while all stanzas wait. */
  server_sync: (stanza, { appState }) => appState.notice(stanza),
  /** The phone says what has become of a file that it was asked for. It needs no order with what comes behind it. */
  mediaretry: (stanza, { files }) => ({
    aside: async (handle) => {
      await files.hear(stanza);
      return handle();
    },
  }),
};

/** Handles a notice before Baileys does, which handles and acknowledges all that is not taken. */
export async function hearNotice(stanza: BinaryNode, parts: NoticesParts): Promise<Fate> {
  const type = NOTICE_TYPES.find((known) => known === stanza.attrs['type']);
  return type === undefined ? undefined : hearers[type](stanza, parts);
}
