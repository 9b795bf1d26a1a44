import type { proto } from '@whiskeysockets/baileys';
import type { ClientSocket } from './clientSocket.ts';
import { failureNode, type Faults } from './faults.ts';
import { child, children, node, stamp, type BinaryNode } from './node.ts';
import type { Counters, LoginSpan } from './stats.ts';
import { jidOf, WHATSAPP, type LinkedDevice, type World } from './world.ts';
import { notePending } from './worldRecords.ts';

/**
 * The devices that are logged in, and the stanzas that wait for each. There is at most one socket for each device: a
 * newer login replaces the older one.
 */
export class Logins {
  readonly #live = new Map<LinkedDevice, ClientSocket>();
  readonly #spans = new WeakMap<ClientSocket, LoginSpan>();
  readonly #world: World;
  readonly #faults: Faults;
  readonly #counters: Counters;

  constructor(world: World, faults: Faults, counters: Counters) {
    this.#world = world;
    this.#faults = faults;
    this.#counters = counters;
  }

  /**
   * Counts the version with which a client presents itself. Returns true when a fault refuses it: then the client is
   * told so.
   */
  refusesVersion(socket: ClientSocket, { userAgent, username }: proto.ClientPayload): boolean {
    const { primary, secondary, tertiary } = userAgent?.appVersion ?? {};
    const version = [primary, secondary, tertiary].map((part) => part ?? 0).join('.');
    this.#counters.countVersion(version);
    if (this.#faults.take('refuse_version', undefined, (fault) => fault.version === version) === undefined)
      return false;
    this.#counters.countRefusedVersion(username ? String(username) : 'registering');
    socket.send(failureNode(405));
    socket.close();
    return true;
  }

  /** A client names its device: lets it in or refuses it. */
  logIn(socket: ClientSocket, clientStatic: Buffer, payload: proto.ClientPayload): void {
    const number = String(payload.username ?? '');
    const device = this.#world.accounts.get(number)?.devices.get(payload.device ?? 0);
    const refusal = this.#faults.take('refuse_login', number);
    const known = device !== undefined && Buffer.from(device.noiseKey).equals(clientStatic);
    if (refusal !== undefined || !known) {
      socket.send(failureNode(refusal?.reason ?? 401, refusal?.expireSeconds));
      socket.close();
      return;
    }
    const older = this.#live.get(device);
    if (older !== undefined) {
      this.#counters.countConflict(number, Date.now());
      older.replaced = true;
      older.send(node('stream:error', {}, [node('conflict', { type: 'replaced' })]));
      older.close();
    }
    for (const pending of device.pending) pending.inFlight = false;
    this.#live.set(device, socket);
    socket.device = device;
    if (this.#faults.take('no_success', number)) return;
    this.#spans.set(socket, this.#counters.countLogin(number, Date.now()));
    const account = this.#world.accounts.get(number);
    if (account === undefined) return;
    socket.send(node('success', { t: stamp(), props: '1', lid: jidOf(account, device.id, 'lid') }));
    if (this.#faults.take('silent', number)) socket.silent = true;
  }

  /** The client asks for what waited: a preview, the stanzas, and the count at the end. */
  activate(socket: ClientSocket): void {
    const { device } = socket;
    if (device === undefined || this.#live.get(device) !== socket) return;
    const waiting = device.pending.filter(({ inFlight }) => !inFlight);
    const count = (tag: string): string => String(waiting.filter(({ stanza }) => stanza.tag === tag).length);
    if (waiting.length > 0) {
      socket.send(
        node('ib', { from: WHATSAPP }, [
          node('offline_preview', {
            count: String(waiting.length),
            message: count('message'),
            receipt: count('receipt'),
            notification: count('notification'),
            appdata: '0',
          }),
        ]),
      );
    }
    for (const pending of waiting) {
      pending.inFlight = true;
      socket.send({ ...pending.stanza, attrs: { ...pending.stanza.attrs, offline: '0' } });
    }
    socket.send(node('ib', { from: WHATSAPP }, [node('offline', { count: String(waiting.length) })]));
    socket.active = true;
  }

  /** Puts a stanza at the end of a device's queue, and on the wire if the device is there and has caught up. */
  enqueue(device: LinkedDevice, stanza: BinaryNode): void {
    const socket = this.#live.get(device);
    const inFlight = socket?.active === true && !socket.closed;
    const place = (device.pending.at(-1)?.place ?? 0) + 1;
    const pending = { place, stanza, inFlight };
    device.pending.push(pending);
    notePending(this.#world, device, pending, true);
    if (inFlight) socket.send(stanza);
  }

  /** Sends a stanza to a device if it is there; it is not kept for later. */
  tell(device: LinkedDevice, stanza: BinaryNode): void {
    const socket = this.#live.get(device);
    if (socket?.active === true) socket.send(stanza);
  }

  /** The client has a stanza: it need not be delivered again. */
  acknowledge(device: LinkedDevice, tag: string, id: string, list: readonly string[] = []): void {
    for (const each of [id, ...list]) {
      const index = device.pending.findIndex(({ stanza }) => stanza.tag === tag && (stanza.attrs['id'] ?? '') === each);
      for (const gone of index === -1 ? [] : device.pending.splice(index, 1)) {
        notePending(this.#world, device, gone, false);
      }
    }
  }

  leave(socket: ClientSocket): void {
    const span = this.#spans.get(socket);
    if (span !== undefined) span.closedAt = Date.now();
    const { device } = socket;
    if (device === undefined || this.#live.get(device) !== socket) return;
    this.#live.delete(device);
    for (const pending of device.pending) pending.inFlight = false;
  }

  /** The live sockets of an account, or all of them. */
  socketsOf(number: string | undefined): readonly ClientSocket[] {
    return [...this.#live]
      .filter(([device]) => number === undefined || device.number === number)
      .map(([, socket]) => socket);
  }

  socketOf(device: LinkedDevice): ClientSocket | undefined {
    return this.#live.get(device);
  }
}

/** Ids that a receipt names: its own and those in its list. */
export function idsOf(receipt: BinaryNode): readonly string[] {
  return children(child(receipt, 'list'), 'item').map((item) => item.attrs['id'] ?? '');
}
