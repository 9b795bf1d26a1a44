import { STATUS } from './broadcast.ts';
import type { Faults } from './faults.ts';
import type { Group } from './group.ts';
import { bytesOf, child, children, node, stamp, type BinaryNode } from './node.ts';
import type { ChatState, Counters } from './stats.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type Address, type LinkedDevice, type World } from './world.ts';

/** Moves sealed messages and receipts between devices. It never decrypts; only phones do. */
export interface RelayContext {
  readonly world: World;
  readonly faults: Faults;
  readonly counters: Counters;
  /** Puts a stanza at the end of a linked device's queue and sends it if the device is there. */
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
  /** Hands a stanza to a phone, device 0 of its account. */
  readonly toPhone: (account: Account, stanza: BinaryNode) => void;
  /** Takes what a client writes into a channel. Returns the ack. */
  readonly post: (account: Account, message: BinaryNode) => BinaryNode;
  /** Whether an account has blocked another one: what that writes to it goes nowhere, and its writer is not told. */
  readonly isBlocked: (by: Account, account: Account) => boolean;
}

/** The sender: an account and one of its devices. */
export interface Sender {
  readonly account: Account;
  readonly device: number;
}

/** One stanza for one device. */
export interface Copy extends Sender {
  readonly stanza: BinaryNode;
}

/** Receipts that the sender of a message gets to see; the others only clear the queue of who sends them. */
const FORWARDED = new Set([undefined, 'read', 'played', 'retry']);

export class Relay {
  readonly #context: RelayContext;
  /** How many repetitions of a message have been asked for and have not come: by account/id. */
  readonly #askedFor = new Map<string, number>();
  /** The pairs of accounts of which one has written to the other, outside of groups. */
  readonly #talked = new Set<string>();

  constructor(context: RelayContext) {
    this.#context = context;
  }

  /** A client sends a message. Returns the ack; undefined when a fault drops it. */
  accept(device: LinkedDevice, message: BinaryNode): BinaryNode | undefined {
    const { faults, counters, world } = this.#context;
    const { id = '', to = '' } = message.attrs;
    const acknowledgement = { class: 'message', id, from: to, t: stamp() };
    const refuse = (error: number): BinaryNode => node('ack', { ...acknowledgement, error: String(error) });
    const account = world.accounts.get(device.number);
    // On the wire it is, whatever becomes of it.
    counters.keyUse.note(`${device.number}:${device.id}`, message);
    const nack = faults.take('nack', device.number);
    if (account === undefined || nack !== undefined) return refuse(nack?.code ?? 401);
    if (to.endsWith('@newsletter')) return this.#context.post(account, message);
    const group = world.groups.get(to);
    const recipient = findAddress(world, to)?.account;
    const isStatus = to === STATUS;
    if (isStatus && children(child(message, 'participants'), 'to').length === 0) return refuse(400);
    if (group === undefined && recipient === undefined && !isStatus) return refuse(404);
    if (recipient !== undefined && recipient !== account && !this.#talked.has(pairOf(account, recipient))) {
      const refused = faults.take('refuse_first_contacts', account.number);
      if (refused !== undefined) {
        counters.countRefusedFirstContact(account.number);
        return refuse(refused.code);
      }
    }
    if (group !== undefined && !group.members.has(account.number)) return refuse(403);
    const asked = this.#askedFor.get(`${account.number}/${id}`) ?? 0;
    if (asked > 0) this.#askedFor.set(`${account.number}/${id}`, asked - 1);
    counters.countStanza(account.number, id, asked > 0);
    const sender = { account, device: device.id };
    const copies = isStatus
      ? copiesOfStatus(world, sender, message)
      : group === undefined
        ? copiesOfChat(world, sender, message)
        : copiesOfGroup(world, sender, group, message);
    for (const copy of copies) this.route(copy);
    return faults.take('drop_acks', device.number) ? undefined : node('ack', acknowledgement);
  }

  /** Brings a stanza to a device: a phone, or the queue of a linked device. */
  route({ account, device, stanza }: Copy): void {
    const from = stanza.tag === 'message' ? findAddress(this.#context.world, stanza.attrs['from'])?.account : undefined;
    // A message to one person comes from its writer; one to a group comes from the group, and is not held back.
    if (from !== undefined && this.#context.isBlocked(account, from)) return;
    if (from !== undefined && from !== account) this.#talked.add(pairOf(from, account));
    if (device === 0) {
      this.#context.toPhone(account, stanza);
      return;
    }
    const linked = account.devices.get(device);
    if (linked === undefined) return;
    this.#context.enqueue(linked, stanza);
    if (stanza.tag === 'message' && this.#context.faults.take('duplicate', account.number)) {
      this.#context.enqueue(linked, stanza);
    }
  }

  /** A receipt of a client or a phone: tells the sender of the message, as far as it concerns him. */
  receipt(reader: Sender, receipt: BinaryNode): void {
    const { world, counters, faults } = this.#context;
    const { to, participant, type } = receipt.attrs;
    if (type === 'server-error') {
      // It is about a file, and for the own phone alone.
      const from = jidOf(reader.account, reader.device, WHATSAPP);
      const isOwn = findAddress(world, to)?.account === reader.account;
      if (isOwn) this.route({ ...reader, device: 0, stanza: { ...receipt, attrs: { ...receipt.attrs, from } } });
      return;
    }
    const sender = findAddress(world, participant ?? to);
    if (sender === undefined || !FORWARDED.has(type)) return;
    const attrs = { ...addressOfReceipt(world, reader, receipt, sender), t: stamp() };
    if (type === 'retry') {
      counters.retryRequests += 1;
      const key = `${sender.account.number}/${receipt.attrs['id'] ?? ''}`;
      this.#askedFor.set(key, (this.#askedFor.get(key) ?? 0) + 1);
      const own = receipt.attrs['recipient'];
      const stanza = node('receipt', { ...attrs, ...(own === undefined ? {} : { recipient: own }) }, receipt.content);
      this.route({ ...sender, stanza });
      return;
    }
    if (sender.account === reader.account || faults.take('drop_receipts', sender.account.number)) return;
    const stanza = node('receipt', attrs, receipt.content);
    for (const device of [0, ...sender.account.devices.keys()]) this.route({ ...sender, device, stanza });
  }

  /** Somebody is typing: told to the linked devices that are there, and never kept. */
  chatState(from: LinkedDevice, state: BinaryNode, tell: (device: LinkedDevice, stanza: BinaryNode) => void): void {
    const { world } = this.#context;
    const account = world.accounts.get(from.number);
    const reader = findAddress(world, state.attrs['to']);
    if (account === undefined || reader === undefined || reader.account === account) return;
    const stanza = node('chatstate', { from: jidOf(account, 0, reader.server) }, state.content);
    for (const device of reader.account.devices.values()) tell(device, stanza);
  }
}

const pairOf = (one: Account, other: Account): string => [one.number, other.number].toSorted().join('/');

/** What a chat state says: recording is typing of another kind on the wire. */
export function toChatState(stanza: BinaryNode): ChatState {
  const [state] = children(stanza);
  const isRecording = state?.attrs['media'] === 'audio';
  return { to: stanza.attrs['to'] ?? '', state: isRecording ? 'recording' : (state?.tag ?? '') };
}

/** Devices of an account, the phone first. */
export function devicesOf(account: Account): readonly number[] {
  return [0, ...account.devices.keys()];
}

/** The address that a receipt comes from, as the sender of the message sees it. */
function addressOfReceipt(world: World, reader: Sender, receipt: BinaryNode, sender: Address) {
  const { id = '', to = '', type } = receipt.attrs;
  const about = { id, ...(type === undefined ? {} : { type }) };
  if (world.groups.has(to) || to === STATUS) {
    return { ...about, from: to, participant: jidOf(reader.account, reader.device, 'lid') };
  }
  // Read is told of a person, everything else of a device.
  const device = type === 'read' || type === 'played' ? 0 : reader.device;
  return { ...about, from: jidOf(reader.account, device, sender.server) };
}

/** A message to one person: for each device that is named, the part that was sealed for it. */
function copiesOfChat(world: World, sender: Sender, message: BinaryNode): readonly Copy[] {
  const { id = '', to = '', type = 'text', recipient, category, edit } = message.attrs;
  const server = to.endsWith('@lid') ? 'lid' : WHATSAPP;
  const own = child(message, 'enc');
  const parts = [
    ...(own === undefined ? [] : [{ jid: to, enc: own }]),
    ...children(child(message, 'participants'), 'to').map((part) => ({
      jid: part.attrs['jid'],
      enc: child(part, 'enc'),
    })),
  ];
  return parts.flatMap(({ jid, enc }) => {
    const address = findAddress(world, jid);
    if (address === undefined || enc === undefined) return [];
    const attrs = {
      id,
      from: jidOf(sender.account, sender.device, server),
      t: stamp(),
      type,
      notify: sender.account.name,
      ...(category === undefined ? {} : { category }),
      ...(edit === undefined ? {} : { edit }),
      ...counterpart(sender.account, address.account, server, recipient ?? to, category),
    };
    return [{ ...address, stanza: node('message', attrs, [enc, ...besideOf(message)]) }];
  });
}

/** What a recipient learns beside the sender's address: his other address, or with whom the own chat is. */
function counterpart(sender: Account, recipient: Account, server: string, chat: string, category?: string) {
  if (category === 'peer') return {};
  if (sender === recipient) return { recipient: chat };
  return server === 'lid' ? { sender_pn: jidOf(sender, 0, WHATSAPP) } : { sender_lid: jidOf(sender, 0, 'lid') };
}

/** A message to a group: the part for everybody, before it the sender key for those who are given it. */
function copiesOfGroup(world: World, sender: Sender, group: Group, message: BinaryNode): readonly Copy[] {
  const shared = child(message, 'enc');
  const { participant } = message.attrs;
  const keys = new Map(
    children(child(message, 'participants'), 'to').map((part) => {
      const address = findAddress(world, part.attrs['jid']);
      return [`${address?.account.number}:${address?.device}`, child(part, 'enc')];
    }),
  );
  const only = participant === undefined ? undefined : findAddress(world, participant);
  return [...group.members.keys()].flatMap((number): readonly Copy[] => {
    const account = world.accounts.get(number);
    if (account === undefined) return [];
    const devices = devicesOf(account).filter((device) =>
      only === undefined
        ? account !== sender.account || device !== sender.device
        : account === only.account && device === only.device,
    );
    return devices.map((device) => {
      const key = keys.get(`${number}:${device}`);
      const parts = [...(key === undefined ? [] : [key]), ...(shared === undefined ? [] : [shared])];
      const content = [...parts, ...besideOf(message)];
      return { account, device, stanza: node('message', groupAttrs(sender, group, message.attrs), content) };
    });
  });
}

/**
 * A status: the part for everybody goes to those devices alone that the stanza names, each with the sender key in the part
 * that was sealed for it. That a stanza without readers is refused nobody has verified, nor the attributes that readers see.
 */
function copiesOfStatus(world: World, sender: Sender, message: BinaryNode): readonly Copy[] {
  const shared = child(message, 'enc');
  const { id = '', type = 'text', edit } = message.attrs;
  return children(child(message, 'participants'), 'to').flatMap((part): readonly Copy[] => {
    const address = findAddress(world, part.attrs['jid']);
    const key = child(part, 'enc');
    if (address === undefined) return [];
    const content = [
      ...(key === undefined ? [] : [key]),
      ...(shared === undefined ? [] : [shared]),
      ...besideOf(message),
    ];
    const attrs = {
      id,
      from: STATUS,
      participant: jidOf(sender.account, sender.device, 'lid'),
      participant_pn: jidOf(sender.account, 0, WHATSAPP),
      t: stamp(),
      type,
      notify: sender.account.name,
      ...(edit === undefined ? {} : { edit }),
    };
    return [{ ...address, stanza: node('message', attrs, content) }];
  });
}

/** Attributes of a group message as its readers get it. */
export function groupAttrs(sender: Sender, group: Group, { id = '', type = 'text', edit }: Record<string, string>) {
  return {
    id,
    from: group.id,
    participant: jidOf(sender.account, sender.device, 'lid'),
    participant_pn: jidOf(sender.account, 0, WHATSAPP),
    addressing_mode: 'lid',
    t: stamp(),
    type,
    notify: sender.account.name,
    ...(edit === undefined ? {} : { edit }),
  };
}

/** What goes to every reader as it is: the sender's identity, and what says of which kind the message is. */
function besideOf(message: BinaryNode): readonly BinaryNode[] {
  const identity = bytesOf(message, 'device-identity');
  return [...(identity === undefined ? [] : [node('device-identity', {}, identity)]), ...children(message, 'meta')];
}
