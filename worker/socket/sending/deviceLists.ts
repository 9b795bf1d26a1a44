import { jidDecode, type PossiblyExtendedCacheStore, type SignalKeyStore } from '@whiskeysockets/baileys';
import type { Emitter, Scope } from '../../../shared/kernel/scope.ts';
import { goesToMany } from '../../../shared/message/recipient.ts';

/**
 * The devices that a person has, kept with the account. Baileys keeps the lists in memory for five minutes, and
 * whenever one is missing it asks WhatsApp for the devices *and* takes a one-time pre-key of each to replace its Signal
 * session: after every restart, and all day long. Kept here, a restart asks for nothing.
 *
 * This class keeps no list in memory itself: it reads from the session's bounded cache. Baileys also writes a
 * `device-list` of its own, device numbers without age or address, for moving sessions to LIDs; it stands in the same
 * item.
 */
const TYPE = 'known-devices';

/** How long a list is believed, in milliseconds. WhatsApp announces changes; this is for a notice that got lost. */
export const DEVICE_LIST_LIFE_MS = 24 * 60 * 60 * 1_000;

/** WhatsApp's number for a stale list in an ack (Baileys: `SmaxInvalid`). */
export const STALE_DEVICE_LIST = 479;

interface KnownDevices {
  readonly learnedAtMs: number;
  /** The devices as Baileys gave them: user, device and server of each. */
  readonly devices: unknown;
}

interface ListedDevice {
  readonly user: string;
  readonly device?: number | undefined;
}

interface KeysOfOurs {
  readonly get: (type: string, ids: readonly string[]) => Promise<Record<string, unknown>>;
  readonly set: (values: { readonly [TYPE]: Record<string, KnownDevices | null> }) => Promise<void>;
}

export interface DeviceListsOptions {
  /** The account's key store. A failure of it must end the socket: a notice would be acknowledged and lost. */
  readonly keys: SignalKeyStore;
  readonly nowMs: () => number;
  /** Whether there are keys with which one can write to a device, as far as is known. */
  readonly isUsable?: ((user: string, device: number) => boolean) | undefined;
}

/** Baileys' device cache, in the account's key store. Keys are the user part of an address, by number or LID. */
export class DeviceLists implements PossiblyExtendedCacheStore {
  readonly #store: KeysOfOurs;
  readonly #keys: SignalKeyStore;
  readonly #nowMs: () => number;
  readonly #isUsable: (user: string, device: number) => boolean;
  /** When all lists were dropped: a list that was learned before counts no more. */
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ keys, nowMs, isUsable = () => true }: DeviceListsOptions) {
    this.#isUsable = isUsable;
    this.#keys = keys;
    // A type of ours beside Baileys' own; the store behind it accepts it like the others.
    this.#store = keys as unknown as KeysOfOurs;
    this.#nowMs = nowMs;
  }

  /** Reads one list; undefined, for which Baileys' type has no word here. */
  async get<Devices>(user: string): Promise<Devices> {
    return (await this.mget<Devices>([user]))[user] as Devices;
  }

  /** Reads the lists that are known and not too old, with the devices that can be written to; others are left out. */
  readonly mget = async <Devices>(users: string[]): Promise<Record<string, Devices | undefined>> => {
    const lists = await this.#believed(users);
    return Object.fromEntries(Object.entries(lists).map(([user, devices]) => [user, this.#usable(devices) as Devices]));
  };

  /** Whether devices of a person are known, and none of them can be written to. */
  async isWithoutKeys(user: string): Promise<boolean> {
    const { [user]: devices } = await this.#believed([user]);
    return Array.isArray(devices) && devices.length > 0 && this.#usable(devices).length === 0;
  }

  #usable(devices: unknown): readonly ListedDevice[] {
    const listed = devices as readonly ListedDevice[];
    return listed.filter(({ user, device }) => this.#isUsable(user, device ?? 0));
  }

  async #believed(users: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const found = await this.#store.get(TYPE, [...new Set(users)]);
    const nowMs = this.#nowMs();
    const believed = Object.entries(found as Record<string, KnownDevices>).filter(
      ([, { learnedAtMs }]) => learnedAtMs > this.#flushedAtMs && nowMs - learnedAtMs < DEVICE_LIST_LIFE_MS,
    );
    return Object.fromEntries(believed.map(([user, { devices }]) => [user, devices]));
  }

  set(user: string, devices: unknown): Promise<void> {
    return this.mset([{ key: user, value: devices }]);
  }

  /** Stores lists. Resolves when they are durable. */
  readonly mset = async (lists: { key: string; value: unknown }[]): Promise<void> => {
    if (lists.length === 0) return;
    const learnedAtMs = this.#nowMs();
    await this.#store.set({
      [TYPE]: Object.fromEntries(lists.map(({ key, value }) => [key, { learnedAtMs, devices: value }])),
    });
  };

  del(user: string): Promise<void> {
    return this.mdel([user]);
  }

  readonly mdel = async (users: string[]): Promise<void> => {
    if (users.length > 0) await this.#store.set({ [TYPE]: Object.fromEntries(users.map((user) => [user, null])) });
  };

  /** Drops all lists that are known now, for as long as this object lives. */
  flushAll(): void {
    this.#flushedAtMs = this.#nowMs();
  }

  /**
   * Drops device lists after WhatsApp refused a message because one is stale (479). It does not say whose, so the lists
   * of all whom the message went to are dropped: the recipients and our own account.
   * @param to address of a person or group, or that of statuses; of the latter two, those whom Baileys has given its sender key
   * @param own addresses of the account
   */
  async dropFor(to: string, own: readonly (string | undefined)[]): Promise<void> {
    const members = goesToMany(to) ? await this.#keyHolders(to) : [to];
    await this.mdel(usersOf([...members, ...own]));
  }

  /**
   * Follows notices that a device of our own account comes or goes. Baileys ignores them (whatsmeow does not), and a
   * new device would not see what we send until our own list is a day old.
   * @param scope the scope of the socket
   * @param stanzas the emitter of Baileys' WebSocket
   * @param own addresses of the account
   */
  watchOwn(scope: Scope, stanzas: Emitter, own: () => readonly (string | undefined)[]): void {
    scope.listen(stanzas, 'CB:notification,type:account_sync,devices', () => {
      // A failure of the store has ended the socket already.
      this.mdel(usersOf(own())).catch(() => undefined);
    });
  }

  async #keyHolders(group: string): Promise<readonly string[]> {
    const { [group]: holders } = await this.#keys.get('sender-key-memory', [group]);
    return Object.keys(holders ?? {});
  }
}

function usersOf(jids: readonly (string | undefined)[]): string[] {
  return [...new Set(jids.flatMap((jid) => jidDecode(jid)?.user ?? []))];
}
