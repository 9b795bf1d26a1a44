import type { AppState } from './appState.ts';
import type { Changes } from './changes.ts';
import type { Group } from './group.ts';
import type { FileStore } from './media/fileStore.ts';
import type { BinaryNode } from './node.ts';
import type { Phone } from './phone.ts';
import type { PublicPreKey, SignedPublicPreKey } from './preKey.ts';
import type { ServerKeys } from './noise.ts';

/** What the server knows. It holds public keys and sealed stanzas only; private keys live in the phones. */
export interface World {
  readonly keys: ServerKeys;
  readonly accounts: Map<string, Account>;
  readonly groups: Map<string, Group>;
  /** What lies on the media hosts. */
  readonly files: FileStore;
  /** The listener that is told of each change that must survive; `worldRecords.ts` says which those are. */
  readonly changes: Changes;
}

/** One WhatsApp account: a phone (device 0) and its linked devices. */
export interface Account {
  readonly number: string;
  readonly lid: string;
  readonly name: string;
  readonly phone: Phone;
  readonly devices: Map<number, LinkedDevice>;
  nextDevice: number;
  /** Messages that the phone has encrypted ahead and not sent yet, oldest first. */
  readonly ahead: AheadMessage[];
  /** The state that the devices of the account share. */
  readonly appState: AppState;
}

/** A message that was encrypted before it is sent: one stanza for each device that is to get it. */
export interface AheadMessage {
  readonly id: string;
  readonly copies: readonly { readonly number: string; readonly device: number; readonly stanza: BinaryNode }[];
}

/** A linked device, as its registration made it known. */
export interface LinkedDevice {
  readonly number: string;
  readonly id: number;
  readonly noiseKey: Uint8Array;
  readonly identity: Uint8Array;
  readonly registrationId: number;
  signedPreKey: SignedPublicPreKey;
  preKeys: PublicPreKey[];
  /** Logins so far; the first one gets the history. */
  logins: number;
  /** Numbers of the accounts whose devices it has asked for: it is told when they change. */
  knows?: string[];
  /** Stanzas that the device has not acknowledged, oldest first. */
  readonly pending: PendingStanza[];
}

export interface PendingStanza {
  /** Counts the stanzas of the device. */
  readonly place: number;
  readonly stanza: BinaryNode;
  /** Whether it is on the wire of the present socket. */
  inFlight: boolean;
}

export const WHATSAPP = 's.whatsapp.net';

/** The hidden id of an account: a number that is not its phone number. */
export function lidOf(number: string): string {
  return `9${String(number.length).padStart(2, '0')}${number.split('').reverse().join('')}`;
}

/** The account that a LID stands for. */
function accountOfLid(world: World, lid: string): Account | undefined {
  const account = world.accounts.get(lid.slice(3).split('').reverse().join(''));
  return account?.lid === lid ? account : undefined;
}

export interface Address {
  readonly account: Account;
  readonly device: number;
  readonly server: string;
}

/** Finds account and device of an address by phone number or by LID. */
export function findAddress(world: World, jid: string | undefined): Address | undefined {
  const match = /^(\d+)(?::(\d+))?@(s\.whatsapp\.net|c\.us|lid)$/.exec(jid ?? '');
  if (match === null) return undefined;
  const [, user = '', device = '0', server = ''] = match;
  const account = server === 'lid' ? accountOfLid(world, user) : world.accounts.get(user);
  return account === undefined ? undefined : { account, device: Number(device), server };
}

/** The address of a device in the form of the given server: by number or by LID. */
export function jidOf(account: Account, device: number, server: string): string {
  const user = server === 'lid' ? account.lid : account.number;
  return device === 0
    ? `${user}@${server === 'lid' ? 'lid' : WHATSAPP}`
    : `${user}:${device}@${server === 'lid' ? 'lid' : WHATSAPP}`;
}
