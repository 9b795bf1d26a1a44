import { randomBytes } from 'node:crypto';
import { encodeBinaryNode, encodeWAMessage, writeRandomPadMax16 } from '@whiskeysockets/baileys';
import type { Group } from './group.ts';
import { node, stamp, type BinaryNode } from './node.ts';
import type { Chat } from './phoneTraffic.ts';
import { takeBundle } from './queries.ts';
import { groupAttrs, type Copy, type Sender } from './relay.ts';
import { jidOf, WHATSAPP, type Account, type World } from './world.ts';

/**
 * What a phone says that no app would let its owner say: any bytes in a message, any stanza. The server writes who it is
 * from, as WhatsApp does: of that a contact can forge nothing. All else is the sender's choice.
 */
export interface RawMessage {
  /** Plaintext that is sealed, or ciphertext that nobody sealed. */
  readonly bytes: { readonly plaintext: Uint8Array } | { readonly ciphertext: Uint8Array; readonly enc: string };
  /** The plaintext is padded already, or is to go without padding. */
  readonly padded: boolean;
  readonly id: string | undefined;
  /** Whether the recipient sees the number or the LID of a sender in a chat of two. */
  readonly addressing: 'pn' | 'lid';
  /** Attributes of the stanza in place of the usual ones; null leaves one out. */
  readonly attrs: Readonly<Record<string, string | null>>;
}

/** A stanza that cannot be written on the wire. */
export class Unsendable extends Error {}

/** Attributes that say who it is from and to whom: the server writes them. */
export const WRITTEN_BY_SERVER: readonly string[] = [
  'from',
  'to',
  'participant',
  'participant_pn',
  'participant_lid',
  'sender_pn',
  'sender_lid',
  'recipient',
  'recipient_pn',
  'recipient_lid',
  'peer_recipient_pn',
  'offline',
];

/** Tags by which a server speaks to its client: no contact causes them. */
export const OF_THE_SERVER: readonly string[] = ['iq', 'success', 'failure', 'stream:error', 'xmlstreamend'];
/** What a client acknowledges: kept until it has. All else is told to those who are there. */
export const ACKNOWLEDGED: readonly string[] = ['message', 'receipt', 'notification', 'call'];

/** The length of a frame is three bytes. */
const MAXIMUM_FRAME_BYTES = 0xff_00_00;

const isGroup = (chat: Chat): chat is Group => 'members' in chat;

/** Seals bytes for each linked device of the recipient, or of the members of a group. Throws Unsendable. */
export async function sealRaw(
  world: World,
  account: Account,
  chat: Chat,
  raw: RawMessage,
): Promise<{ readonly id: string; readonly copies: readonly Copy[] }> {
  const id = raw.id ?? `3A${randomBytes(9).toString('hex').toUpperCase()}`;
  const { bytes } = raw;
  const padded = 'plaintext' in bytes ? pad(bytes.plaintext, raw.padded) : undefined;
  // So that those who ask for it again get the same bytes.
  if (padded !== undefined) account.phone.keep(id, { to: isGroup(chat) ? chat.id : chat.number, message: padded });
  const sealed = isGroup(chat)
    ? await sealForMembers(world, account, chat, id, raw, padded)
    : await sealForOne(world, account, chat, id, raw, padded);
  const copies = sealed.map((copy) => ({ ...copy, stanza: withAttrs(copy.stanza, raw.attrs) }));
  for (const { stanza } of copies) assertSendable(stanza);
  return { id, copies };
}

/** A stanza as the linked devices of the recipient get it. Throws Unsendable. */
export function addressStanza(
  world: World,
  account: Account,
  chat: Chat,
  stanza: BinaryNode,
  by: 'pn' | 'lid' | 'server',
): readonly Copy[] {
  const mine = ((): Record<string, string> => {
    if (by === 'server') return { from: WHATSAPP };
    if (isGroup(chat)) return { from: chat.id, participant: jidOf(account, 0, 'lid') };
    return { from: jidOf(account, 0, by === 'lid' ? 'lid' : WHATSAPP) };
  })();
  const addressed = { ...stanza, attrs: { t: stamp(), ...stanza.attrs, ...mine } };
  assertSendable(addressed);
  return readersOf(world, chat).map((reader) => ({ ...reader, stanza: addressed }));
}

async function sealForOne(
  world: World,
  account: Account,
  to: Account,
  id: string,
  raw: RawMessage,
  padded: Uint8Array | undefined,
): Promise<readonly Copy[]> {
  const isLid = raw.addressing === 'lid';
  const attrs = {
    id,
    from: jidOf(account, 0, isLid ? 'lid' : WHATSAPP),
    type: 'text',
    t: stamp(),
    notify: account.name,
    ...(to === account ? { recipient: jidOf(to, 0, WHATSAPP) } : counterpart(account, isLid)),
  };
  const copies: Copy[] = [];
  for (const reader of readersOf(world, to)) {
    const enc = padded === undefined ? unsealed(raw) : await sealFor(world, account, reader, padded);
    if (enc !== undefined) copies.push({ ...reader, stanza: node('message', attrs, [enc]) });
  }
  return copies;
}

async function sealForMembers(
  world: World,
  account: Account,
  group: Group,
  id: string,
  raw: RawMessage,
  padded: Uint8Array | undefined,
): Promise<readonly Copy[]> {
  const readers = readersOf(world, group);
  const attrs = groupAttrs({ account, device: 0 }, group, { id, type: 'text' });
  if (padded === undefined) {
    const enc = unsealed(raw);
    return readers.map((reader) => ({ ...reader, stanza: node('message', attrs, enc === undefined ? [] : [enc]) }));
  }
  const jids = readers.map((reader) => jidOf(reader.account, reader.device, 'lid'));
  const { ciphertext, senderKey, lacking } = await account.phone.sealGroup(group.id, padded, jids);
  const keyMessage = encodeWAMessage({
    senderKeyDistributionMessage: { groupId: group.id, axolotlSenderKeyDistributionMessage: senderKey },
  });
  const copies: Copy[] = [];
  for (const reader of readers) {
    const parts = [node('enc', { v: '2', type: 'skmsg' }, ciphertext)];
    if (lacking.includes(jidOf(reader.account, reader.device, 'lid'))) {
      const enc = await sealFor(world, account, reader, keyMessage);
      if (enc !== undefined) parts.unshift(enc);
    }
    copies.push({ ...reader, stanza: node('message', attrs, parts) });
  }
  return copies;
}

async function sealFor(
  world: World,
  account: Account,
  to: Sender,
  message: Uint8Array,
): Promise<BinaryNode | undefined> {
  const jid = jidOf(to.account, to.device, 'lid');
  const sealed = await account.phone.seal(jid, message, () => takeBundle(world, jid));
  return sealed && node('enc', { v: '2', type: sealed.type }, sealed.ciphertext);
}

function unsealed({ bytes }: RawMessage): BinaryNode | undefined {
  return 'ciphertext' in bytes ? node('enc', { v: '2', type: bytes.enc }, bytes.ciphertext) : undefined;
}

/** The linked devices of an account, or of a group's members. Phones are left out: nothing is to be seen on them. */
function readersOf(world: World, chat: Chat): readonly Sender[] {
  const numbers = isGroup(chat) ? [...chat.members.keys()] : [chat.number];
  return numbers.flatMap((number) => {
    const account = world.accounts.get(number);
    return account === undefined ? [] : [...account.devices.keys()].map((device) => ({ account, device }));
  });
}

function counterpart(account: Account, isLid: boolean): Record<string, string> {
  return isLid ? { sender_pn: jidOf(account, 0, WHATSAPP) } : { sender_lid: jidOf(account, 0, 'lid') };
}

function pad(plaintext: Uint8Array, isPadded: boolean): Uint8Array {
  return isPadded ? plaintext : writeRandomPadMax16(plaintext);
}

function withAttrs(stanza: BinaryNode, attrs: RawMessage['attrs']): BinaryNode {
  const all = Object.entries({ ...stanza.attrs, ...attrs });
  const kept = all.filter((entry): entry is [string, string] => entry[1] !== null);
  return { ...stanza, attrs: Object.fromEntries(kept) };
}

/** What fails when it is written would end the socket, so it is tried before. */
function assertSendable(stanza: BinaryNode): void {
  const bytes = ((): number => {
    try {
      return encodeBinaryNode(stanza).length;
    } catch (error) {
      throw new Unsendable(`It cannot be written on the wire: ${(error as Error).message}.`);
    }
  })();
  if (bytes > MAXIMUM_FRAME_BYTES) throw new Unsendable(`A frame of ${bytes} bytes is longer than the wire allows.`);
}
