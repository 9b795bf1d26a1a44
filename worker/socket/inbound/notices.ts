import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { AppState } from '../appState/appState.ts';
import type { GroupMembers } from '../people/groupMembers.ts';
import type { PhoneFiles } from '../files/phoneFiles.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { isPerson, withoutDevice } from '../../../shared/kernel/jid.ts';
import { toBlockFacts } from '../wire/blockFacts.ts';
import { toGroupFacts, toGroupPictureFact } from '../wire/groupFacts.ts';
import { toPersonPictureFact } from '../wire/personPictureFact.ts';
import type { KnownPeople } from '../people/knownPeople.ts';
import type { Fate } from './inboundOrder.ts';

export interface NoticesParts {
  readonly members: Pick<GroupMembers, 'forget'>;
  readonly people: Pick<KnownPeople, 'welcomeNewSession' | 'isMe'>;
  readonly appState: Pick<AppState, 'notice'>;
  readonly files: Pick<PhoneFiles, 'hear'>;
  /** Publishes facts. Resolves when they are durable. */
  readonly publish: (facts: readonly Fact[]) => Promise<void>;
}

/** The types of WhatsApp's notices that matter to us. */
const NOTICE_TYPES = ['w:gp2', 'picture', 'account_sync', 'encrypt', 'server_sync', 'mediaretry'] as const;
type NoticeType = (typeof NOTICE_TYPES)[number];

const hearers: Readonly<Record<NoticeType, (stanza: BinaryNode, parts: NoticesParts) => Fate | Promise<Fate>>> = {
  /** The group has changed, so WhatsApp is asked about its members again. It is told before Baileys acknowledges the notice. */
  'w:gp2': async (stanza, { members, publish }) => {
    members.forget(stanza.attrs['from'] ?? '');
    await publish(toGroupFacts(stanza));
    return undefined;
  },
  /** A person or a group has another picture, or none; that of the account itself is nobody's news. */
  picture: async (stanza, { publish, people }) => {
    const fact = toGroupPictureFact(stanza) ?? toPersonPictureFact(stanza);
    if (fact !== undefined && !(fact.kind === 'contact_change' && people.isMe(fact.contact))) await publish([fact]);
    return undefined;
  },
  /** Something of the account has changed on another of its devices; whom it has blocked is told, unless it is somebody else's word. */
  account_sync: async (stanza, { publish, people }) => {
    const from = withoutDevice(stanza.attrs['from'] ?? '');
    if (!isPerson(from) || people.isMe(from)) await publish(toBlockFacts(stanza));
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
