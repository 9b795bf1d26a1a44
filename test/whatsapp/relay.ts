import { encodeWAMessage, proto } from '@whiskeysockets/baileys';
import type { Faults } from './faults.ts';
import { bytesOf, child, children, node, numberOf, stamp, type BinaryNode } from './node.ts';
import { textMessage, textOf, type KeyBundle, type Sealed } from './phone.ts';
import { takeBundle } from './queries.ts';
import type { Counters } from './stats.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type Address, type LinkedDevice, type World } from './world.ts';

/** Moves sealed messages and receipts between devices. It never decrypts; only phones do. */
export interface RelayContext {
  readonly world: World;
  readonly faults: Faults;
  readonly counters: Counters;
  /** Puts a stanza at the end of a device's queue and sends it if the device is there. */
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
  readonly changed: () => void;
}

const isSealed = (type: string | undefined): type is Sealed['type'] => type === 'pkmsg' || type === 'msg';

export class Relay {
  readonly #context: RelayContext;
  /** Work of phones that is still going on, so that a test can wait for quiet. */
  readonly #work = new Set<Promise<void>>();

  constructor(context: RelayContext) {
    this.#context = context;
  }

  /** A client sends a message. Returns the ack. */
  accept(device: LinkedDevice, message: BinaryNode): BinaryNode | undefined {
    const { faults, counters, world } = this.#context;
    const { id = '', to = '' } = message.attrs;
    const acknowledgement = { class: 'message', id, from: to, t: stamp() };
    const nack = faults.take('nack', device.number);
    if (nack !== undefined) return node('ack', { ...acknowledgement, error: String(nack.code) });
    counters.countStanza(id);
    const sender = this.#accountOf(device);
    for (const { address, sealed } of this.#copies(message)) {
      this.#deliver({ sender, senderDevice: device.id, chat: to, recipient: address, sealed, message });
    }
    const unknown = findAddress(world, to) === undefined && to.endsWith(`@${WHATSAPP}`);
    if (unknown) return node('ack', { ...acknowledgement, error: '404' });
    return faults.take('drop_acks', device.number) ? undefined : node('ack', acknowledgement);
  }

  /** A client's receipt for a message: takes it out of its queue and tells the sender. */
  receipt(device: LinkedDevice, receipt: BinaryNode): void {
    const { world, counters } = this.#context;
    const { id = '', to, participant, type } = receipt.attrs;
    if (type === 'inactive') return;
    const sender = findAddress(world, participant ?? to);
    if (sender === undefined) return;
    const me = this.#accountOf(device);
    if (type === 'retry') {
      counters.retryRequests += 1;
      if (sender.device === 0) this.#track(this.#sendAgain(sender.account, device, receipt));
      else this.#forward(sender.account, receipt, jidOf(me, device.id, sender.server), sender.device);
      return;
    }
    if (sender.account === me) return;
    const ids = [id, ...children(child(receipt, 'list'), 'item').map((item) => item.attrs['id'] ?? '')];
    for (const each of ids)
      this.#report(me, sender.account, each, type === 'read' ? 'read' : 'delivered', sender.server);
  }

  /** A phone's owner writes a text. Encrypts now, for every device of the recipient and the own linked ones. */
  async write(account: Account, to: Account, text: string): Promise<string> {
    const id = `3A${Buffer.from(crypto.getRandomValues(new Uint8Array(9)))
      .toString('hex')
      .toUpperCase()}`;
    const message = textMessage(text);
    account.phone.sent.set(id, { to: to.number, message });
    account.phone.show({
      id,
      chat: to.number,
      from: account.number,
      fromMe: true,
      text,
      at: Date.now(),
      status: 'sent',
    });
    await this.#sendFromPhone(account, to, id, message);
    this.#context.changed();
    return id;
  }

  /** A phone's owner has read messages: their senders are told. */
  read(account: Account, id: string): boolean {
    const entry = account.phone.transcript.find((candidate) => candidate.id === id && !candidate.fromMe);
    const sender = entry && this.#context.world.accounts.get(entry.from);
    if (sender === undefined) return false;
    this.#report(account, sender, id, 'read', 'lid');
    return true;
  }

  /** The first login of a device: the phone shares a (small) history, without which a client waits for it. */
  async shareHistory(account: Account, device: LinkedDevice): Promise<void> {
    const history = proto.HistorySync.encode({
      syncType: proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP,
      conversations: [],
      progress: 100,
    }).finish();
    const { deflateSync } = await import('node:zlib');
    const message = encodeWAMessage({
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType: proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP,
          chunkOrder: 1,
          progress: 100,
          initialHistBootstrapInlinePayload: deflateSync(history),
        },
      },
    });
    const deviceJid = jidOf(account, device.id, 'lid');
    const sealed = await account.phone.seal(deviceJid, message, () => takeBundle(this.#context.world, deviceJid));
    if (sealed === undefined) return;
    const id = `HIST${device.id}${Date.now().toString(36).toUpperCase()}`;
    const from = jidOf(account, 0, WHATSAPP);
    this.#context.enqueue(device, toMessage({ id, from, category: 'peer' }, sealed));
  }

  /** Waits until no phone is at work. */
  async quiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** Each sealed copy of a client's message with the device it is for. */
  #copies(message: BinaryNode): readonly { readonly address: Address; readonly sealed: Sealed }[] {
    const own = child(message, 'enc');
    const named = own === undefined ? [] : [{ jid: message.attrs['to'], enc: own }];
    const listed = children(child(message, 'participants'), 'to').map((to) => ({
      jid: to.attrs['jid'],
      enc: child(to, 'enc'),
    }));
    return [...named, ...listed].flatMap(({ jid, enc }) => {
      const address = findAddress(this.#context.world, jid);
      const type = enc?.attrs['type'];
      if (address === undefined || !isSealed(type)) return [];
      return [{ address, sealed: { type, ciphertext: enc?.content as Uint8Array } }];
    });
  }

  #deliver(copy: {
    readonly sender: Account;
    readonly senderDevice: number;
    readonly chat: string;
    readonly recipient: Address;
    readonly sealed: Sealed;
    readonly message: BinaryNode;
  }): void {
    const { sender, senderDevice, recipient, sealed, message } = copy;
    const { id = '' } = message.attrs;
    if (recipient.device === 0) {
      this.#track(this.#receiveOnPhone(recipient.account, sender, senderDevice, id, copy.chat, sealed));
      return;
    }
    const device = recipient.account.devices.get(recipient.device);
    if (device === undefined) return;
    const server = copy.chat.endsWith('@lid') ? 'lid' : WHATSAPP;
    const other =
      server === 'lid' ? { sender_pn: jidOf(sender, 0, WHATSAPP) } : { sender_lid: jidOf(sender, 0, 'lid') };
    const identity = child(message, 'device-identity');
    const stanza = toMessage(
      {
        id,
        from: jidOf(sender, senderDevice, server),
        ...(sender === recipient.account ? { recipient: copy.chat } : other),
        notify: sender.name,
      },
      sealed,
      identity === undefined ? [] : [identity],
    );
    this.#context.enqueue(device, stanza);
    if (this.#context.faults.take('duplicate', recipient.account.number)) this.#context.enqueue(device, stanza);
  }

  async #receiveOnPhone(
    account: Account,
    sender: Account,
    senderDevice: number,
    id: string,
    chat: string,
    sealed: Sealed,
  ): Promise<void> {
    const { phone } = account;
    let message: proto.IMessage;
    try {
      message = await phone.open(jidOf(sender, senderDevice, 'lid'), sealed);
    } catch (error) {
      phone.failures.push({ id, reason: String(error) });
      this.#context.counters.undecryptable += 1;
      // A message that was read under this id needs no repetition.
      if (!phone.transcript.some((entry) => entry.id === id))
        this.#askToRepeat(account, sender, senderDevice, id, chat);
      return;
    }
    const own = message.deviceSentMessage;
    const content = own?.message ?? message;
    const text = textOf(content);
    if (text === undefined) return;
    const partner = own
      ? (findAddress(this.#context.world, own.destinationJid ?? '')?.account.number ?? '')
      : sender.number;
    const fromMe = sender === account;
    phone.show({
      id,
      chat: partner,
      from: sender.number,
      fromMe,
      text,
      at: Date.now(),
      status: fromMe ? 'sent' : 'received',
    });
    if (!fromMe) this.#report(account, sender, id, 'delivered', chat.endsWith('@lid') ? 'lid' : WHATSAPP);
    this.#context.changed();
  }

  /** The phone asks the sending device to encrypt the message again, with new keys to do it. */
  #askToRepeat(account: Account, sender: Account, senderDevice: number, id: string, chat: string): void {
    const device = sender.devices.get(senderDevice);
    if (device === undefined) return;
    this.#context.counters.retryRequests += 1;
    const registration = Buffer.alloc(4);
    registration.writeUInt32BE(account.phone.creds.registrationId);
    const server = chat.endsWith('@lid') ? 'lid' : WHATSAPP;
    this.#context.enqueue(
      device,
      node('receipt', { id, from: jidOf(account, 0, server), type: 'retry', t: stamp() }, [
        node('retry', { count: '1', id, t: stamp(), v: '1' }),
        node('registration', {}, registration),
      ]),
    );
  }

  /** A device could not read what the phone sent: encrypt it again, with the keys that came along. */
  async #sendAgain(account: Account, device: LinkedDevice, receipt: BinaryNode): Promise<void> {
    const { id = '' } = receipt.attrs;
    const kept = account.phone.sent.get(id);
    if (kept === undefined) return;
    this.#context.counters.undecryptable += 1;
    const recipient = this.#accountOf(device);
    const deviceJid = jidOf(recipient, device.id, 'lid');
    const bundle = bundleOf(receipt, device);
    if (bundle !== undefined) await account.phone.renewSession(deviceJid, bundle);
    const renew = bundle === undefined;
    const sealed = await account.phone.seal(
      deviceJid,
      kept.message,
      () => takeBundle(this.#context.world, deviceJid),
      renew,
    );
    if (sealed === undefined) return;
    this.#context.enqueue(device, this.#fromPhone(account, recipient, id, sealed));
    this.#context.changed();
  }

  async #sendFromPhone(account: Account, to: Account, id: string, message: Uint8Array): Promise<void> {
    const { world } = this.#context;
    for (const device of to.devices.values()) {
      const deviceJid = jidOf(to, device.id, 'lid');
      const sealed = await account.phone.seal(deviceJid, message, () => takeBundle(world, deviceJid));
      if (sealed === undefined) continue;
      const stanza = this.#fromPhone(account, to, id, sealed);
      this.#context.enqueue(device, stanza);
      if (this.#context.faults.take('duplicate', to.number)) this.#context.enqueue(device, stanza);
    }
    if (to !== account) {
      const sealed = await account.phone.seal(jidOf(to, 0, 'lid'), message, () => to.phone.takeBundle());
      if (sealed !== undefined) await this.#receiveOnPhone(to, account, 0, id, jidOf(to, 0, 'lid'), sealed);
    }
    const echo = encodeWAMessage({
      deviceSentMessage: {
        destinationJid: jidOf(to, 0, WHATSAPP),
        message: { conversation: textOf(proto.Message.decode(unpad(message))) ?? '' },
      },
    });
    for (const device of account.devices.values()) {
      const deviceJid = jidOf(account, device.id, 'lid');
      const sealed = await account.phone.seal(deviceJid, echo, () => takeBundle(world, deviceJid));
      if (sealed === undefined) continue;
      const attrs = { id, from: jidOf(account, 0, WHATSAPP), recipient: jidOf(to, 0, WHATSAPP), notify: account.name };
      this.#context.enqueue(device, toMessage(attrs, sealed));
    }
  }

  #fromPhone(account: Account, to: Account, id: string, sealed: Sealed): BinaryNode {
    const own = account === to ? { recipient: jidOf(to, 0, WHATSAPP) } : { sender_lid: jidOf(account, 0, 'lid') };
    return toMessage({ id, from: jidOf(account, 0, WHATSAPP), notify: account.name, ...own }, sealed);
  }

  /** Tells all devices of the sender how far its message got with the reader. */
  #report(reader: Account, sender: Account, id: string, state: 'delivered' | 'read', server: string): void {
    if (this.#context.faults.take('drop_receipts', sender.number)) return;
    const entry = sender.phone.transcript.find((candidate) => candidate.id === id && candidate.fromMe);
    if (entry !== undefined && entry.status !== 'read') entry.status = state;
    const receipt = node('receipt', { id, ...(state === 'read' ? { type: 'read' } : {}) });
    this.#forward(sender, receipt, jidOf(reader, 0, server));
    this.#context.changed();
  }

  #forward(to: Account, receipt: BinaryNode, from: string, onlyDevice?: number): void {
    const { id = '', type } = receipt.attrs;
    for (const device of to.devices.values()) {
      if (onlyDevice !== undefined && device.id !== onlyDevice) continue;
      const attrs = { id, from, t: stamp(), ...(type === undefined ? {} : { type }) };
      this.#context.enqueue(device, node('receipt', attrs, receipt.content));
    }
  }

  #accountOf(device: LinkedDevice): Account {
    const account = this.#context.world.accounts.get(device.number);
    if (account === undefined) throw new Error(`no account ${device.number}`);
    return account;
  }

  #track(work: Promise<void>): void {
    const settled = work.catch(() => undefined).then(() => void this.#work.delete(settled));
    this.#work.add(settled);
  }
}

function toMessage(attrs: Record<string, string>, sealed: Sealed, more: readonly BinaryNode[] = []): BinaryNode {
  return node('message', { ...attrs, type: 'text', t: stamp() }, [
    node('enc', { v: '2', type: sealed.type }, sealed.ciphertext),
    ...more,
  ]);
}

function unpad(padded: Uint8Array): Uint8Array {
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
}

/** The keys that a request to repeat may carry. */
function bundleOf(receipt: BinaryNode, device: LinkedDevice): KeyBundle | undefined {
  const keys = child(receipt, 'keys');
  const [skey, key] = [child(keys, 'skey'), child(keys, 'key')];
  const [identity, value, signature] = [bytesOf(keys, 'identity'), bytesOf(skey, 'value'), bytesOf(skey, 'signature')];
  if (identity === undefined || value === undefined || signature === undefined) return undefined;
  const preKeyValue = bytesOf(key, 'value');
  return {
    registrationId: device.registrationId,
    identity,
    signedPreKey: { id: numberOf(skey, 'id') ?? 0, value, signature },
    preKey: preKeyValue === undefined ? undefined : { id: numberOf(key, 'id') ?? 0, value: preKeyValue },
  };
}
