import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeWAMessage, type proto } from '@whiskeysockets/baileys';
import { broadcastTo, STATUS } from './broadcast.ts';
import { contentOf, plaintextOf } from './content.ts';
import type { Group } from './group.ts';
import {
  chatsOf,
  historySchema,
  makeHistoryNotice,
  olderThan,
  placeHistory,
  toHistory,
  toNoticeMessage,
  type HistoryBody,
} from './history.ts';
import type { PhoneFiles } from './media/phoneFiles.ts';
import { children, node, stamp, type BinaryNode } from './node.ts';
import type { Progress, Sealed } from './phone.ts';
import { answerPlaceholders, shareAppStateKeys } from './phoneAnswers.ts';
import { answerRetry, requestRepeat } from './phoneRetry.ts';
import { takeBundle } from './queries.ts';
import { devicesOf, groupAttrs, type Copy, type Sender } from './relay.ts';
import type { Counters } from './stats.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteAhead } from './worldRecords.ts';

/** What phones send and receive: they seal and open with their own keys, keep their transcripts and tell the senders. */
export interface PhoneContext {
  readonly world: World;
  readonly counters: Counters;
  readonly files: PhoneFiles;
  readonly route: (copy: Copy) => void;
  readonly receipt: (reader: Sender, receipt: BinaryNode) => void;
  /** Fault: how long a phone takes to answer its own devices, in milliseconds. */
  readonly answerDelayMs: (account: Account) => number;
}

/** How a phone's owner writes. */
export interface Writing {
  /** Sealed now, and left with the phone until `release`. */
  readonly ahead?: boolean | undefined;
  /** Phones get it; linked devices get a stanza without content, whose reason may be given, and must ask their phone. */
  readonly placeholder?: boolean | string | undefined;
}

export type Chat = Account | Group;

const isGroup = (chat: Chat): chat is Group => 'members' in chat;
const isPairwise = (type: string | undefined): type is Sealed['type'] => type === 'pkmsg' || type === 'msg';

export class PhoneTraffic {
  readonly #context: PhoneContext;
  /** Work of phones that is still going on, so that a stop can wait for quiet. */
  readonly #work = new Set<Promise<void>>();
  /** What has come for phones without a connection, by number. */
  readonly #waiting = new Map<string, BinaryNode[]>();
  readonly #past = new Map<string, ReturnType<typeof historySchema.parse>>();

  constructor(context: PhoneContext) {
    this.#context = context;
  }

  /**
   * A phone's owner writes. It is sealed now, for every device of the recipients and the own linked ones, and sent at
   * once unless told otherwise. Returns the stanza id.
   */
  async write(account: Account, chat: Chat, content: proto.IMessage, writing: Writing = {}): Promise<string> {
    const id = makeStanzaId();
    const message = encodeWAMessage(content);
    account.phone.keep(id, { to: isGroup(chat) ? chat.id : chat.number, message });
    this.#show(account, account, id, chat, content);
    const sealed = isGroup(chat)
      ? await this.#sealForGroup(account, chat, id, content, message)
      : await this.#sealForChat(account, chat, id, content, message);
    const { placeholder = false } = writing;
    const copies = placeholder === false ? sealed : sealed.map((copy) => withoutContent(copy, placeholder));
    if (writing.ahead === true) {
      const kept = copies.map(({ account: { number }, device, stanza }) => ({ number, device, stanza }));
      const message = { id, copies: kept };
      account.ahead.push(message);
      noteAhead(this.#context.world, account, message, true);
    } else for (const copy of copies) this.#context.route(copy);
    return id;
  }

  /** Sends messages that were encrypted ahead, the oldest first. Returns their ids. */
  release(account: Account, count = account.ahead.length): readonly string[] {
    const released = account.ahead.splice(0, count);
    for (const message of released) {
      noteAhead(this.#context.world, account, message, false);
      for (const { number, device, stanza } of message.copies) {
        const recipient = this.#context.world.accounts.get(number);
        if (recipient !== undefined) this.#context.route({ account: recipient, device, stanza });
      }
    }
    return released.map(({ id }) => id);
  }

  /** A phone sends one of its messages again, under the same id, to the linked devices of its recipients. */
  async repeat(account: Account, id: string): Promise<boolean> {
    const { world, route } = this.#context;
    const to = account.phone.kept(id)?.to ?? '';
    const numbers = world.groups.get(to)?.members.keys() ?? [to];
    const readers = [...numbers].flatMap((number) => world.accounts.get(number) ?? []);
    for (const reader of readers) {
      for (const device of reader.devices.keys()) {
        const from = jidOf(reader, device, WHATSAPP);
        const copy = await answerRetry(world, account, node('receipt', { id, from }));
        if (copy !== undefined) route(copy);
      }
    }
    return readers.length > 0;
  }

  /** A phone's owner has read a message: its sender is told. False if the phone shows no such message of others. */
  read(account: Account, id: string): boolean {
    const entry = account.phone.received(id);
    const sender = entry && this.#context.world.accounts.get(entry.from);
    if (entry === undefined || sender === undefined) return false;
    account.phone.markRead(entry);
    const senderJid = jidOf(sender, 0, entry.addressedBy);
    const isOfMany = entry.chat.endsWith('@g.us') || entry.chat === STATUS;
    const to = isOfMany ? { to: entry.chat, participant: senderJid } : { to: senderJid };
    this.#context.receipt({ account, device: 0 }, node('receipt', { id, type: 'read', ...to }));
    const own = isOfMany
      ? { from: entry.chat, participant: jidOf(account, 0, entry.addressedBy) }
      : { from: jidOf(account, 0, entry.addressedBy), recipient: senderJid };
    for (const device of account.devices.keys()) {
      this.#context.route({ account, device, stanza: node('receipt', { id, type: 'read', t: stamp(), ...own }) });
    }
    return true;
  }

  /** The first login of a device: its phone shares a (small) history. */
  shareHistory(account: Account, device: LinkedDevice): Promise<void> {
    return this.#tellDevice(account, device.id, makeHistoryNotice());
  }

  /** A phone tells all linked devices of a part of its history. Returns how many they are. */
  async tellHistory(account: Account, given: HistoryBody, requestId?: string): Promise<number> {
    const body = historySchema.parse(given);
    const history = toHistory(body, chatsOf(body, Date.now()));
    const notice = await placeHistory(this.#context.world.files, account, body, history);
    const devices = [...account.devices.keys()];
    for (const device of devices) await this.#tellDevice(account, device, toNoticeMessage(notice, requestId));
    return devices.length;
  }

  /** What a phone has of before, for devices that ask it. */
  keepPast(account: Account, given: HistoryBody): void {
    this.#past.set(account.number, historySchema.parse(given));
  }

  /** A phone makes a key for app-state patches and gives it to a linked device, with all that it has. */
  async shareAppStateKey(account: Account, device: LinkedDevice): Promise<{ keyId: Buffer; keyData: Buffer }> {
    const { keyId, keyData } = account.appState.phone.makeKey();
    await this.#tellDevice(account, device.id, shareAppStateKeys(account.appState.phone.share()));
    return { keyId, keyData };
  }

  /** A phone tells one of its linked devices something that only the two of them know about. */
  async #tellDevice(account: Account, device: number, message: proto.IMessage): Promise<void> {
    const sealed = await this.#seal(account, account, device, encodeWAMessage(message));
    if (sealed === undefined) return;
    const attrs = { id: makeStanzaId(), from: jidOf(account, 0, WHATSAPP), category: 'peer', type: 'text', t: stamp() };
    this.#context.route({ account, device, stanza: node('message', attrs, [toEnc(sealed)]) });
  }

  /** A phone has no connection until `connect`: what is for it waits, and its linked devices get no answer. */
  disconnect(account: Account): void {
    this.#waiting.set(account.number, this.#waiting.get(account.number) ?? []);
  }

  /** A phone is back: it gets what has waited. */
  connect(account: Account): void {
    const waited = this.#waiting.get(account.number) ?? [];
    this.#waiting.delete(account.number);
    for (const stanza of waited) this.receive(account, stanza);
  }

  /** A stanza arrives at a phone. */
  receive(account: Account, stanza: BinaryNode): void {
    const waiting = this.#waiting.get(account.number);
    if (waiting !== undefined) waiting.push(stanza);
    else if (stanza.tag === 'message') this.#track(this.#open(account, stanza));
    else if (stanza.attrs['type'] === 'retry') this.#track(this.#repeat(account, stanza));
    else if (stanza.attrs['type'] === 'server-error') this.#track(this.#uploadAgain(account, stanza));
    else this.#note(account, stanza);
  }

  /** Waits until no phone is at work. */
  async quiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #open(account: Account, stanza: BinaryNode): Promise<void> {
    const { world, counters } = this.#context;
    const { id = '', from = '', participant, recipient } = stanza.attrs;
    const sender = findAddress(world, participant ?? from);
    if (sender === undefined) return;
    const isOwn = sender.account === account;
    const isBroadcast = from.endsWith('@broadcast');
    const group = isBroadcast ? broadcastTo(from, sender.account, [account]) : world.groups.get(from);
    const chat = group ?? (isOwn ? findAddress(world, recipient)?.account : sender.account);
    const content: proto.IMessage = {};
    let plaintext: Uint8Array | undefined;
    try {
      for (const part of children(stanza, 'enc')) {
        const opened = await this.#openPart(account, stanza, part);
        plaintext = opened && plaintextOf(opened);
        Object.assign(content, opened && withoutEmpty(opened.deviceSentMessage?.message ?? opened));
      }
    } catch (error) {
      account.phone.failures.push({ id, reason: String(error) });
      counters.undecryptable += 1;
      // A message that was read under this id needs no repetition.
      const isKnown = account.phone.shows(sender.account.number, id) !== undefined;
      const request = isKnown ? undefined : requestRepeat(account, stanza);
      if (request !== undefined) this.#context.receipt({ account, device: 0 }, request);
      return;
    }
    const way = { addressedBy: sender.server, plaintext, stanza };
    if (chat !== undefined) this.#show(account, sender.account, id, chat, content, way);
    const request = content.protocolMessage?.peerDataOperationRequestMessage;
    if (isOwn && request) await this.#answer(account, sender.device, id, request);
    if (isOwn && content.protocolMessage?.appStateSyncKeyRequest) await this.#giveKeys(account, sender.device);
    if (!isOwn) {
      const to = participant === undefined ? { to: from } : { to: from, participant };
      this.#context.receipt({ account, device: 0 }, node('receipt', { id, ...to }));
    }
  }

  /** One of the phone's own devices lacks a key of app state. It gets all of them. */
  async #giveKeys(account: Account, device: number): Promise<void> {
    await sleep(this.#context.answerDelayMs(account), undefined, { ref: false });
    await this.#tellDevice(account, device, shareAppStateKeys(account.appState.phone.share()));
  }

  /** One of the phone's own devices asks it for something. */
  async #answer(
    account: Account,
    device: number,
    id: string,
    request: proto.Message.IPeerDataOperationRequestMessage,
  ): Promise<void> {
    const { world, counters, answerDelayMs } = this.#context;
    const { historySyncOnDemandRequest: older } = request;
    if (older) {
      await sleep(answerDelayMs(account), undefined, { ref: false });
      const past = this.#past.get(account.number);
      const asked = older.chatJid ?? '';
      const person = findAddress(world, asked)?.account;
      const names = person === undefined ? [asked] : [asked, jidOf(person, 0, WHATSAPP), jidOf(person, 0, 'lid')];
      const chat = past && olderThan(chatsOf(past, Date.now()), older, names);
      const found = chat === undefined ? {} : { chats: [chat] };
      await this.tellHistory(account, { type: 'on_demand', ...found }, id);
      return;
    }
    counters.countPlaceholderRequest(account.number);
    await sleep(answerDelayMs(account), undefined, { ref: false });
    const answer = answerPlaceholders(world, account, id, request);
    if (answer !== undefined) await this.#tellDevice(account, device, answer);
  }

  async #uploadAgain(account: Account, receipt: BinaryNode): Promise<void> {
    await sleep(this.#context.answerDelayMs(account), undefined, { ref: false });
    this.#context.files.again(account, receipt);
  }

  async #openPart(account: Account, stanza: BinaryNode, part: BinaryNode): Promise<proto.IMessage | undefined> {
    const { from = '', participant } = stanza.attrs;
    const sender = findAddress(this.#context.world, participant ?? from);
    const ciphertext = part.content;
    if (sender === undefined || !(ciphertext instanceof Uint8Array)) return undefined;
    const author = jidOf(sender.account, sender.device, 'lid');
    const { type } = part.attrs;
    const opened = isPairwise(type)
      ? await account.phone.open(author, { type, ciphertext })
      : await account.phone.openGroup(from, author, ciphertext);
    const message = opened.deviceSentMessage?.message ?? opened;
    if (message.senderKeyDistributionMessage) {
      await account.phone.learnSenderKey(author, message.senderKeyDistributionMessage);
    }
    return opened;
  }

  /** Writes into a phone's transcript what there is to see. */
  #show(
    account: Account,
    from: Account,
    id: string,
    chat: Chat,
    message: proto.IMessage,
    { addressedBy = WHATSAPP, plaintext, stanza }: Way = {},
  ): void {
    const content = contentOf(message, plaintext);
    if (content === undefined) return;
    const isOwn = from === account;
    const { kind, text, media } = content;
    const others = isGroup(chat) ? [...chat.members.keys()].filter((number) => number !== from.number) : [chat.number];
    const isNew = account.phone.show({
      id,
      chat: isGroup(chat) ? chat.id : chat.number,
      from: from.number,
      fromMe: isOwn,
      kind,
      text,
      // What a phone sends it has, whatever its message says of it.
      ...(media === undefined ? {} : { media: plaintext === undefined ? { ...media, state: 'opened' } : media }),
      ...(kind === 'other' || (isGroup(chat) && chat.id === STATUS) ? asItCame(plaintext, stanza) : {}),
      ...(media === undefined || stanza === undefined ? {} : saidOfFile(stanza)),
      at: Date.now(),
      status: isOwn ? 'sent' : 'received',
      receipts: isOwn ? Object.fromEntries(others.map((number) => [number, 'sent'])) : {},
      addressedBy,
    });
    if (isNew && media !== undefined && plaintext !== undefined) {
      this.#track(this.#context.files.check(account, from.number, id, message));
    }
    if (isNew && !isOwn) this.#context.counters.countShown(account.number, { from: from.number, id, text });
  }

  /** A recipient told the phone how far one of its account's messages got. */
  #note(account: Account, receipt: BinaryNode): void {
    const { id = '', from, participant, type } = receipt.attrs;
    const reader = findAddress(this.#context.world, participant ?? from)?.account;
    if (reader === undefined) return;
    const progress: Progress = type === undefined ? 'delivered' : type === 'played' ? 'played' : 'read';
    const listed = children(children(receipt, 'list')[0], 'item').map((item) => item.attrs['id'] ?? '');
    for (const each of [id, ...listed]) account.phone.noteProgress(each, reader.number, progress);
  }

  async #repeat(account: Account, receipt: BinaryNode): Promise<void> {
    const copy = await answerRetry(this.#context.world, account, receipt);
    if (copy === undefined) return;
    this.#context.counters.undecryptable += 1;
    this.#context.counters.unreadByClients.add(receipt.attrs['id'] ?? '');
    this.#context.route(copy);
  }

  async #sealForChat(account: Account, to: Account, id: string, content: proto.IMessage, message: Uint8Array) {
    const common = { id, from: jidOf(account, 0, WHATSAPP), type: typeOf(content), t: stamp(), notify: account.name };
    const recipient = jidOf(to, 0, WHATSAPP);
    const echo = encodeWAMessage({ deviceSentMessage: { destinationJid: recipient, message: content } });
    const copies: Copy[] = [];
    for (const device of to === account ? [] : devicesOf(to)) {
      const sealed = await this.#seal(account, to, device, message);
      const attrs = { ...common, sender_lid: jidOf(account, 0, 'lid') };
      if (sealed !== undefined) copies.push({ account: to, device, stanza: node('message', attrs, [toEnc(sealed)]) });
    }
    for (const device of account.devices.keys()) {
      const sealed = await this.#seal(account, account, device, echo);
      const attrs = { ...common, recipient };
      if (sealed !== undefined) copies.push({ account, device, stanza: node('message', attrs, [toEnc(sealed)]) });
    }
    return copies;
  }

  async #sealForGroup(account: Account, group: Group, id: string, content: proto.IMessage, message: Uint8Array) {
    const readers = [...group.members.keys()].flatMap((number) => {
      const member = this.#context.world.accounts.get(number);
      const devices = member === undefined ? [] : devicesOf(member);
      return devices.flatMap((device) =>
        member === undefined || (member === account && device === 0) ? [] : [{ account: member, device }],
      );
    });
    const jids = readers.map((reader) => jidOf(reader.account, reader.device, 'lid'));
    const { ciphertext, senderKey, lacking } = await account.phone.sealGroup(group.id, message, jids);
    const keyMessage = encodeWAMessage({
      senderKeyDistributionMessage: { groupId: group.id, axolotlSenderKeyDistributionMessage: senderKey },
    });
    const copies: Copy[] = [];
    for (const reader of readers) {
      const parts = [node('enc', { v: '2', type: 'skmsg' }, ciphertext)];
      if (lacking.includes(jidOf(reader.account, reader.device, 'lid'))) {
        const sealed = await this.#seal(account, reader.account, reader.device, keyMessage);
        if (sealed !== undefined) parts.unshift(toEnc(sealed));
      }
      const attrs = groupAttrs({ account, device: 0 }, group, { id, type: typeOf(content) });
      copies.push({ ...reader, stanza: node('message', attrs, parts) });
    }
    return copies;
  }

  #seal(account: Account, to: Account, device: number, message: Uint8Array): Promise<Sealed | undefined> {
    const jid = jidOf(to, device, 'lid');
    return account.phone.seal(jid, message, () => takeBundle(this.#context.world, jid));
  }

  #track(work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => this.#context.counters.noteInternalError(error))
      .then(() => void this.#work.delete(settled));
    this.#work.add(settled);
  }
}

/** How a message came; an own one did not. */
interface Way {
  readonly addressedBy?: string;
  readonly plaintext?: Uint8Array | undefined;
  readonly stanza?: BinaryNode;
}

function asItCame(plaintext: Uint8Array | undefined, stanza: BinaryNode | undefined) {
  if (plaintext === undefined || stanza === undefined) return {};
  const beside = children(stanza, 'meta').map(({ tag, attrs }) => [tag, attrs] as const);
  return {
    plaintext: Buffer.from(plaintext).toString('base64'),
    beside: Object.fromEntries(beside),
    stanzaType: stanza.attrs['type'] ?? '',
    ...(stanza.attrs['edit'] === undefined ? {} : { edit: stanza.attrs['edit'] }),
  };
}

/** What a stanza says of a file before it is opened. */
function saidOfFile(stanza: BinaryNode) {
  const mediaType = children(stanza, 'enc').findLast(({ attrs }) => attrs['mediatype'] !== undefined)?.attrs[
    'mediatype'
  ];
  return { stanzaType: stanza.attrs['type'] ?? '', ...(mediaType === undefined ? {} : { mediaType }) };
}

function withoutEmpty(message: proto.IMessage): proto.IMessage {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null && value !== undefined));
}

function makeStanzaId(): string {
  return `3A${randomBytes(9).toString('hex').toUpperCase()}`;
}

/** What a linked device gets of a message that only phones can read. */
function withoutContent(copy: Copy, reason: string | true): Copy {
  const content = [node('unavailable', reason === true ? {} : { type: reason })];
  return copy.device === 0 ? copy : { ...copy, stanza: { ...copy.stanza, content } };
}

function toEnc(sealed: Sealed): BinaryNode {
  return node('enc', { v: '2', type: sealed.type }, sealed.ciphertext);
}

function typeOf(content: proto.IMessage): string {
  return contentOf(content)?.media === undefined ? 'text' : 'media';
}
