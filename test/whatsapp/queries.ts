import { randomBytes } from 'node:crypto';
import type { Channels } from './channels.ts';
import type { ClientSocket } from './clientSocket.ts';
import type { GroupAnswer } from './groupNodes.ts';
import { answerLimits, type ToldLimit } from './limits.ts';
import { bigEndian, bytesOf, child, children, node, numberOf, type BinaryNode } from './node.ts';
import type { Profiles } from './profiles.ts';
import { findAddress, jidOf, WHATSAPP, type LinkedDevice, type World } from './world.ts';
import { noteDevice, notePreKeys } from './worldRecords.ts';
import type { Counters } from './stats.ts';
import type { KeyBundle } from './phone.ts';

/** Answers to `iq` queries (docs/whatsapp.md, "Login and queries"). Unknown ones get an empty result, which is harmless. */
type Answer = readonly BinaryNode[] | { readonly error: number };

export interface QueryContext {
  readonly world: World;
  readonly counters: Counters;
  /** The number of the account that a look-up of a number finds. */
  readonly accountOf: (asked: string) => string;
  /** The lock of an account against new chats, if there is one. */
  readonly lockOf: (number: string) => Pick<ToldLimit, 'endsInSeconds'> | undefined;
  /** The media hosts, and a token of the account to upload with. */
  readonly mediaConnection: (number: string) => readonly BinaryNode[];
  readonly pictures: (device: LinkedDevice | undefined, query: BinaryNode) => Answer;
  readonly groups: (device: LinkedDevice | undefined, query: BinaryNode) => GroupAnswer;
  readonly profiles: Profiles;
  readonly channels: Channels;
  readonly appState: (device: LinkedDevice | undefined, query: BinaryNode) => readonly BinaryNode[];
  /** A device learns which devices an account has, and wants to know when that changes. */
  readonly onDevicesAsked: (asker: LinkedDevice, number: string) => void;
  /** Answers what belongs to a linking by passkey; undefined for every other query. */
  readonly passkey: (socket: ClientSocket, query: BinaryNode) => Answer | undefined;
  readonly onActive: (socket: ClientSocket) => void;
  readonly onRemoveDevice: (device: LinkedDevice) => void;
}

type Handler = (context: QueryContext, socket: ClientSocket, query: BinaryNode) => Answer;

const KEY_TYPE = Buffer.from([5]);

const handlers: Readonly<Record<string, Handler>> = {
  'encrypt get count': (_context, { device }) => [node('count', { value: String(device?.preKeys.length ?? 0) })],
  'encrypt get digest': () => [node('digest')],
  'encrypt get key': ({ world, counters }, _socket, query) => {
    counters.keyFetches += 1;
    return [
      node(
        'list',
        {},
        children(child(query, 'key'), 'user').map((user) => keysOf(world, user.attrs['jid'] ?? '')),
      ),
    ];
  },
  'encrypt set list': ({ world }, { device }, query) => {
    if (device !== undefined) takeUploadedKeys(world, device, query);
    return [];
  },
  'encrypt set rotate': ({ world }, { device }, query) => {
    const rotated = toSignedPreKey(child(child(query, 'rotate'), 'skey'));
    if (device !== undefined && rotated !== undefined) rotate(world, device, rotated);
    return [];
  },
  'passive set active': ({ onActive }, socket) => {
    queueMicrotask(() => onActive(socket));
    return [];
  },
  'abt get props': () => [node('props', {}, [])],
  'blocklist get': ({ profiles }, { device }) => (device === undefined ? { error: 401 } : profiles.blocklist(device)),
  'blocklist set': ({ profiles }, { device }, query) =>
    device === undefined ? { error: 401 } : profiles.changeBlocklist(device, query),
  'status set': ({ profiles }, { device }, query) =>
    device === undefined ? { error: 401 } : profiles.setAbout(device, query),
  'disappearing_mode set': ({ profiles }, { device }, query) =>
    device === undefined ? { error: 401 } : profiles.setDisappearing(device, query),
  'w:biz get': ({ profiles }, _socket, query) => profiles.business(query),
  'privacy get privacy': ({ profiles }, { device }) =>
    device === undefined ? { error: 401 } : profiles.privacy(device),
  'privacy set privacy': ({ profiles }, { device }, query) =>
    device === undefined ? { error: 401 } : profiles.setPrivacy(device, query),
  'privacy set tokens': ({ counters }, { device }, query) => {
    if (device !== undefined) counters.countTokenIssue(device.number);
    const issued = children(child(query, 'tokens'), 'token');
    // The token of the contact comes back: what is sent to him carries it from now on.
    return [
      node(
        'tokens',
        {},
        issued.map(({ attrs }) => node('token', { ...attrs }, randomBytes(16))),
      ),
    ];
  },
  'usync get usync': (context, { device }, query) => [answerUsync(context, device, query)],
  'w:mex get': ({ lockOf, channels }, { device }, query) =>
    (device && channels.answer(device.number, query)) ??
    answerLimits(query, device === undefined ? undefined : lockOf(device.number)) ??
    [],
  'newsletter get': ({ channels }, _socket, query) => channels.posts(query),
  'w:g2 get': ({ groups, counters }, { device }, query) => {
    counters.groupQueries += 1;
    return groups(device, query);
  },
  'w:g2 set': ({ groups }, { device }, query) => groups(device, query),
  'w:profile:picture get': ({ pictures }, { device }, query) => pictures(device, query),
  'w:profile:picture set': ({ pictures }, { device }, query) => pictures(device, query),
  'w:m set media_conn': ({ mediaConnection }, { device }) =>
    device === undefined ? { error: 401 } : mediaConnection(device.number),
  'md set remove-companion-device': ({ onRemoveDevice }, { device }) => {
    if (device !== undefined) queueMicrotask(() => onRemoveDevice(device));
    return [];
  },
  'w:sync:app:state set sync': ({ appState }, { device }, query) => appState(device, query),
};

/** The answer to a query, as the stanza to send. */
export function answerQuery(context: QueryContext, socket: ClientSocket, query: BinaryNode): BinaryNode {
  const { xmlns = '', type = '', id = '' } = query.attrs;
  const first = children(query)[0]?.tag ?? '';
  const ofPasskey = xmlns === 'md' ? context.passkey(socket, query) : undefined;
  const named = handlers[`${xmlns} ${type} ${first}`] ?? handlers[`${xmlns} ${type}`];
  const isUpload = xmlns === 'encrypt' && type === 'set' && child(query, 'list') !== undefined;
  const answer = ofPasskey ?? (isUpload ? handlers['encrypt set list'] : named)?.(context, socket, query) ?? [];
  return 'error' in answer
    ? failedQuery(id, answer.error)
    : node('iq', { from: WHATSAPP, type: 'result', id }, [...answer]);
}

export function failedQuery(id: string, code: number): BinaryNode {
  return node('iq', { from: WHATSAPP, type: 'error', id }, [node('error', { code: String(code), text: 'simulated' })]);
}

/** The keys with which somebody can write to a device: takes one of its one-time pre-keys. */
export function takeBundle(world: World, jid: string): KeyBundle | undefined {
  const address = findAddress(world, jid);
  if (address === undefined) return undefined;
  if (address.device === 0) return address.account.phone.takeBundle();
  const device = address.account.devices.get(address.device);
  if (device === undefined) return undefined;
  const { registrationId, identity, signedPreKey } = device;
  const preKey = device.preKeys.shift();
  if (preKey !== undefined) notePreKeys(world, device);
  return { registrationId, identity, signedPreKey, preKey };
}

function keysOf(world: World, jid: string): BinaryNode {
  const bundle = takeBundle(world, jid);
  if (bundle === undefined) return node('user', { jid }, [node('error', { code: '404', text: 'item-not-found' })]);
  return node('user', { jid }, [node('registration', {}, bigEndian(bundle.registrationId, 4)), ...keyNodes(bundle)]);
}

/** The public keys of a bundle as nodes. */
export function keyNodes(bundle: KeyBundle): readonly BinaryNode[] {
  const key = (tag: string, { id, value }: { id: number; value: Uint8Array }, more: BinaryNode[] = []): BinaryNode =>
    node(tag, {}, [node('id', {}, bigEndian(id, 3)), node('value', {}, value), ...more]);
  return [
    node('type', {}, KEY_TYPE),
    node('identity', {}, bundle.identity),
    key('skey', bundle.signedPreKey, [node('signature', {}, bundle.signedPreKey.signature)]),
    ...(bundle.preKey === undefined ? [] : [key('key', bundle.preKey)]),
  ];
}

function takeUploadedKeys(world: World, device: LinkedDevice, query: BinaryNode): void {
  const uploaded = children(child(query, 'list'), 'key').map((key) => ({
    id: numberOf(key, 'id') ?? 0,
    value: bytesOf(key, 'value') ?? Buffer.alloc(0),
  }));
  const known = new Set(device.preKeys.map(({ id }) => id));
  device.preKeys.push(...uploaded.filter(({ id }) => !known.has(id)));
  notePreKeys(world, device);
  rotate(world, device, toSignedPreKey(child(query, 'skey')) ?? device.signedPreKey);
}

function rotate(world: World, device: LinkedDevice, signedPreKey: LinkedDevice['signedPreKey']): void {
  const account = world.accounts.get(device.number);
  device.signedPreKey = signedPreKey;
  if (account !== undefined) noteDevice(world, account, device);
}

function toSignedPreKey(skey: BinaryNode | undefined): LinkedDevice['signedPreKey'] | undefined {
  const [id, value, signature] = [numberOf(skey, 'id'), bytesOf(skey, 'value'), bytesOf(skey, 'signature')];
  return id === undefined || value === undefined || signature === undefined ? undefined : { id, value, signature };
}

/** Answers who a number is: its devices with key indexes, its LID, and whether it is on WhatsApp at all. */
function answerUsync(context: QueryContext, asker: LinkedDevice | undefined, query: BinaryNode): BinaryNode {
  const { world, counters } = context;
  if (child(child(child(query, 'usync'), 'query'), 'devices') !== undefined) counters.deviceQueries += 1;
  const users = children(child(child(query, 'usync'), 'list'), 'user');
  if (asker !== undefined && users.some((user) => child(user, 'contact')?.content !== undefined)) {
    counters.countAccountQuery(asker.number);
  }
  const protocols = children(child(child(query, 'usync'), 'query')).map(({ tag }) => tag);
  const answers = users.map((user) => {
    const contact = child(user, 'contact')?.content;
    const asked =
      contact === undefined
        ? undefined
        : Buffer.from(contact as Uint8Array)
            .toString()
            .replaceAll(/\D/g, '');
    const jid = user.attrs['jid'] ?? `${context.accountOf(asked ?? '')}@${WHATSAPP}`;
    const account = findAddress(world, jid)?.account;
    // The server repeats the number that it was asked for (whatsmeow, `IsOnWhatsApp`, reads it there).
    const isIn = node('contact', { type: account === undefined ? 'out' : 'in' }, contact);
    if (account === undefined) return node('user', { jid }, [isIn]);
    if (asker !== undefined) context.onDevicesAsked(asker, account.number);
    const devices = [0, ...account.devices.keys()].map((id) =>
      node('device', { id: String(id), ...(id === 0 ? {} : { 'key-index': String(id) }) }),
    );
    return node('user', { jid }, [
      isIn,
      node('lid', { val: jidOf(account, 0, 'lid') }),
      node('devices', {}, [node('device-list', {}, devices)]),
      ...context.profiles.shown(asker, account, protocols),
    ]);
  });
  return node('usync', {}, [node('list', {}, answers)]);
}
