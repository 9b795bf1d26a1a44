import { randomInt } from 'node:crypto';
import { node, stamp, type BinaryNode } from './node.ts';
import { jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteDevice } from './worldRecords.ts';

/**
 * Tells those who know the devices of an account when one comes or goes. Without it a client would write to the devices
 * that it remembers, and a new one would miss messages. Who knows what is saved, as clients save their lists.
 */
export class DeviceNotices {
  readonly #world: World;
  readonly #enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;

  constructor(world: World, enqueue: (device: LinkedDevice, stanza: BinaryNode) => void) {
    this.#world = world;
    this.#enqueue = enqueue;
  }

  /** A device has asked for the devices of an account. */
  watch(watcher: LinkedDevice, number: string): void {
    watcher.knows ??= [];
    if (watcher.knows.includes(number)) return;
    watcher.knows.push(number);
    const account = this.#world.accounts.get(watcher.number);
    if (account !== undefined) noteDevice(this.#world, account, watcher);
  }

  tell(what: 'add' | 'remove', account: Account, device: LinkedDevice): void {
    const linked = [...this.#world.accounts.values()].flatMap(({ devices }) => [...devices.values()]);
    for (const watcher of linked) {
      if (watcher === device || watcher.knows?.includes(account.number) !== true) continue;
      if (watcher.number === account.number) {
        this.#enqueue(watcher, toOwnNotice(account));
        continue;
      }
      const addresses = [WHATSAPP, 'lid'].map((server) =>
        node('device', { jid: jidOf(account, device.id, server), 'key-index': String(device.id) }),
      );
      const attrs = { ...attrsOf(account, 'devices'), lid: jidOf(account, 0, 'lid') };
      this.#enqueue(watcher, node('notification', attrs, [node(what, { device_hash: '2:sandbox' }, addresses)]));
    }
  }

  /** The phone of an account has new keys. */
  tellIdentity(account: Account): void {
    const linked = [...this.#world.accounts.values()].flatMap(({ devices }) => [...devices.values()]);
    for (const watcher of linked) {
      if (watcher.knows?.includes(account.number) !== true) continue;
      this.#enqueue(watcher, node('notification', attrsOf(account, 'encrypt'), [node('identity', {})]));
    }
  }
}

/** The own devices of an account hear it in another form, with the whole list (as whatsmeow reads it). */
function toOwnNotice(account: Account): BinaryNode {
  const devices = [0, ...account.devices.keys()].map((id) =>
    node('device', { jid: jidOf(account, id, WHATSAPP), ...(id === 0 ? {} : { 'key-index': String(id) }) }),
  );
  return node('notification', attrsOf(account, 'account_sync'), [node('devices', { dhash: '2:sandbox' }, devices)]);
}

function attrsOf(account: Account, type: string) {
  return { from: jidOf(account, 0, WHATSAPP), type, id: String(randomInt(1e9, 1e10)), t: stamp() };
}
