import { randomBytes } from 'node:crypto';

export type Role = 'superadmin' | 'admin' | 'member';

export interface GroupSettings {
  announcement: boolean;
  locked: boolean;
  memberAddMode: 'admin_add' | 'all_member_add';
  /** Whether an administrator has to let people in. */
  approval: boolean;
  /** Seconds after which messages disappear; 0 where they stay. */
  ephemeral: number;
}

/** An invitation of one person. */
export interface Invitation {
  readonly code: string;
  /** Number of who may use it. */
  readonly number: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export interface Group {
  /** With `@g.us`. */
  readonly id: string;
  readonly creator: string;
  readonly createdAt: string;
  subject: string;
  description: { readonly id: string; readonly text: string } | undefined;
  /** Numbers of the members. */
  readonly members: Map<string, Role>;
  readonly settings: GroupSettings;
  /** The code of its link. */
  code: string;
  /** Codes that its link had before. */
  readonly oldCodes: string[];
  /** People who ask to join: when they asked, by number. */
  readonly requests: Map<string, string>;
  readonly invitations: Invitation[];
  /** A group in which nobody writes, to which others are linked. */
  readonly isCommunity: boolean;
  /** The group that all of a community are in. */
  readonly isAnnouncements: boolean;
  /** The community that it belongs to. */
  community: string | undefined;
}

export function makeCode(): string {
  return randomBytes(16).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, 22);
}

type Needed = Pick<Group, 'id' | 'creator' | 'createdAt' | 'subject' | 'members'>;

/** Makes a group of what is said of it; for the rest it is as groups are at first. */
export function aGroup(parts: Needed & Partial<Group>, settings: Partial<GroupSettings> = {}): Group {
  return {
    description: undefined,
    code: makeCode(),
    oldCodes: [],
    requests: new Map(),
    invitations: [],
    isCommunity: false,
    isAnnouncements: false,
    community: undefined,
    ...parts,
    settings: {
      announcement: false,
      locked: false,
      memberAddMode: 'admin_add',
      approval: false,
      ephemeral: 0,
      ...settings,
    },
  };
}
