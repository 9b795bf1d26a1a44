import { randomInt } from 'node:crypto';
import { node, stamp, type BinaryNode } from './node.ts';
import { jidOf, WHATSAPP, type Account, type LinkedDevice } from './world.ts';

/**
 * Tells those who know the devices of an account when one comes or goes. Without it a client would write to the devices
 * that it remembers, for minutes, and a new one would miss messages. Kept in memory only, as clients keep their lists.
 */
export class DeviceNotices {
  readonly #watchers = new Map<string, Set<LinkedDevice>>();
  readonly #enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;

  constructor(enqueue: (device: LinkedDevice, stanza: BinaryNode) => void) {
    this.#enqueue = enqueue;
  }

  /** A device has asked for the devices of an account. */
  watch(watcher: LinkedDevice, number: string): void {
    const watchers = this.#watchers.get(number) ?? new Set();
    this.#watchers.set(number, watchers.add(watcher));
  }

  tell(what: 'add' | 'remove', account: Account, device: LinkedDevice): void {
    for (const watcher of this.#watchers.get(account.number) ?? []) {
      if (watcher === device) continue;
      const addresses = [WHATSAPP, 'lid'].map((server) =>
        node('device', { jid: jidOf(account, device.id, server), 'key-index': String(device.id) }),
      );
      const attrs = {
        from: jidOf(account, 0, WHATSAPP),
        lid: jidOf(account, 0, 'lid'),
        type: 'devices',
        id: String(randomInt(1e9, 1e10)),
        t: stamp(),
      };
      this.#enqueue(watcher, node('notification', attrs, [node(what, { device_hash: '2:sandbox' }, addresses)]));
    }
  }

  /** A device is no more: it is not told anything again. */
  forget(watcher: LinkedDevice): void {
    for (const watchers of this.#watchers.values()) watchers.delete(watcher);
  }
}
