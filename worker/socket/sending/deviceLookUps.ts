import { jidDecode, type makeWASocket } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isLid } from '../../../shared/kernel/jid.ts';
import type { LookUp } from '../port/connectionSocket.ts';
import type { DeviceLists } from './deviceLists.ts';
import type { Me } from '../wire/envelope.ts';
import type { KeyAnswers } from './keyAnswers.ts';
import { asLookUp, isFinal, LookUpError, NO_NUMBER } from '../port/lookUpError.ts';

type Baileys = Pick<ReturnType<typeof makeWASocket>, 'getUSyncDevices' | 'assertSessions' | 'signalRepository'>;

interface Parts {
  readonly socket: Baileys;
  readonly devices: DeviceLists;
  readonly keyAnswers: Pick<KeyAnswers, 'takeRefusal' | 'found'>;
  readonly me: () => Me;
  readonly monotonicMs: () => number;
  /** How long Baileys waits for an answer, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/** How early a timer may end, in milliseconds; an answer that comes so late counts as none. */
const TIMER_SLACK_MS = 50;

/**
 * Ensures that the devices of a person, and of our own account, are known, and that there are sessions to them. Baileys
 * asks for them itself, but goes on without when it gets no answer: the message would leave for nobody and be
 * acknowledged.
 */
export class DeviceLookUps {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The look-ups of these that a message to this person needs now. It asks nothing of WhatsApp. */
  async neededFor(address: string): Promise<readonly LookUp[]> {
    const { devices } = this.#parts;
    const users = this.#usersFor(address);
    const lists = await devices.mget<readonly KnownDevice[]>([...users]);
    if (users.some((user) => lists[user] === undefined)) return ['devices', 'keys'];
    const jids = (lists[users[1]] ?? []).map(({ user, server, device }) => toDeviceJid(user, server, device));
    for (const jid of jids) if (!(await this.#hasSession(jid))) return ['keys'];
    return [];
  }

  /**
   * Makes the missing look-ups. Returns whether the person has any device. Throws a `LookUpError` when WhatsApp
   * refuses, or does not answer.
   */
  async prepare(address: string): Promise<'ready' | 'no_devices'> {
    const { devices, keyAnswers } = this.#parts;
    // As long as no device without keys was met, nobody is without them.
    if (keyAnswers.found > 0 && (await devices.isWithoutKeys(userOf(address))))
      throw new LookUpError('keys', NO_NUMBER);
    if ((await this.neededFor(address)).length === 0) return 'ready';
    try {
      return await this.#ask(address);
    } catch (error) {
      if (!(error instanceof LookUpError) || error.lookUp !== 'keys' || !isFinal(error.code)) throw error;
      // A device of the list may be gone, and nobody gives its keys. With a fresh list the keys of the present ones are
      // asked for.
      await devices.dropFor(address, this.#usersFor(address).map(toAnyJid));
      return this.#ask(address);
    }
  }

  /**
   * How far each of these people can be written to now: on all devices that are known, on some, or on none. It asks nothing
   * of WhatsApp.
   */
  async reachOf(addresses: readonly string[]): Promise<readonly Reach[]> {
    const lists = await this.#parts.devices.mget<readonly KnownDevice[]>(addresses.map(userOf));
    return Promise.all(
      addresses.map(async (address): Promise<Reach> => {
        const jids = (lists[userOf(address)] ?? []).map(({ user, server, device }) =>
          toDeviceJid(user, server, device),
        );
        const having = await Promise.all(jids.map((jid) => this.#hasSession(jid)));
        if (!having.includes(true)) return 'none';
        return having.includes(false) ? 'some' : 'whole';
      }),
    );
  }

  /**
   * Makes the missing look-ups for several people. Who has no device, or none with keys, stays without. Throws a
   * `LookUpError` when WhatsApp refuses, or does not answer.
   */
  async prepareMany(addresses: readonly string[]): Promise<void> {
    try {
      await this.#askForMany(addresses);
    } catch (error) {
      if (!(error instanceof LookUpError) || error.lookUp !== 'keys' || !isFinal(error.code)) throw error;
      await this.#parts.devices.mdel(addresses.map(userOf));
      await this.#askForMany(addresses);
    }
  }

  async #askForMany(addresses: readonly string[]): Promise<void> {
    const { socket, keyAnswers, monotonicMs, queryTimeoutMs } = this.#parts;
    const askedAtMs = monotonicMs();
    const found = await asLookUp('devices', () =>
      withDeadline('asking for devices', deadlines.send.ms, () => socket.getUSyncDevices([...addresses], true, false)),
    );
    const isLate = monotonicMs() - askedAtMs >= queryTimeoutMs - TIMER_SLACK_MS;
    // Baileys goes on when it gets no answer.
    if (found.length === 0 && isLate) throw new LookUpError('devices', undefined);
    if (found.length === 0) return;
    keyAnswers.takeRefusal();
    const jids = found.map(({ jid }) => jid);
    await asLookUp('keys', () => withDeadline('asking for keys', deadlines.send.ms, () => socket.assertSessions(jids)));
    const refusal = keyAnswers.takeRefusal();
    const having = await Promise.all(jids.map((jid) => this.#hasSession(jid)));
    // Devices without keys are left out from now on; that there are none at all, and no refusal, is silence.
    if (!having.includes(true) && refusal === undefined) throw new LookUpError('keys', undefined);
  }

  async #ask(address: string): Promise<'ready' | 'no_devices'> {
    const { socket, devices, keyAnswers, monotonicMs, queryTimeoutMs } = this.#parts;
    const own = this.#ownFor(address);
    const askedAtMs = monotonicMs();
    const found = await asLookUp('devices', () =>
      withDeadline('asking for devices', deadlines.send.ms, () =>
        socket.getUSyncDevices([...new Set([own, address])], true, false),
      ),
    );
    const [, user] = this.#usersFor(address);
    if ((await devices.get(user)) === undefined) {
      if (monotonicMs() - askedAtMs < queryTimeoutMs - TIMER_SLACK_MS) return 'no_devices';
      throw new LookUpError('devices', undefined);
    }
    keyAnswers.takeRefusal();
    await asLookUp('keys', () =>
      withDeadline('asking for keys', deadlines.send.ms, () => socket.assertSessions(found.map(({ jid }) => jid))),
    );
    const theirs = found.filter((device) => device.user === user);
    for (const { jid } of theirs) if (await this.#hasSession(jid)) return 'ready';
    if (theirs.length === 0) return 'ready';
    throw new LookUpError('keys', keyAnswers.takeRefusal());
  }

  async #hasSession(jid: string): Promise<boolean> {
    return (await this.#parts.socket.signalRepository.validateSession(jid)).exists;
  }

  /** Our own address as Baileys chooses it: a chat with a LID is between LIDs. */
  #ownFor(address: string): string {
    const { phoneJid, lid } = this.#parts.me();
    return isLid(address) && lid !== undefined ? lid : phoneJid;
  }

  #usersFor(address: string): readonly [own: string, theirs: string] {
    return [userOf(this.#ownFor(address)), userOf(address)];
  }
}

/** On which of their devices a person can be written to. */
export type Reach = 'whole' | 'some' | 'none';

interface KnownDevice {
  readonly user: string;
  readonly server: string;
  readonly device?: number;
}

const userOf = (jid: string): string => jidDecode(jid)?.user ?? '';
/** An address of a user on any server, as lists are dropped by the user part alone. */
const toAnyJid = (user: string): string => `${user}@s.whatsapp.net`;
const toDeviceJid = (user: string, server: string, device = 0): string =>
  `${user}${device === 0 ? '' : `:${device}`}@${server}`;
