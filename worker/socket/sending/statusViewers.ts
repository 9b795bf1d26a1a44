import type { makeWASocket } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isPerson, parseJid } from '../../../shared/kernel/jid.ts';
import { addressOf, settleViewers, type Viewer } from '../../../shared/message/audience.ts';
import type { Session } from '../../session/session.ts';
import { toAccountQuery, toAccounts, type Account } from '../people/accountQuery.ts';
import { findOtherNames } from '../people/contactNames.ts';
import type { KeptAudience } from '../port/connectionSocket.ts';
import { asLookUp, LookUpError } from '../port/lookUpError.ts';
import { isMe, type Me } from '../wire/envelope.ts';
import type { DeviceLookUps } from './deviceLookUps.ts';
import type { Recipients } from './recipients.ts';

interface Parts {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'query' | 'signalRepository'>;
  readonly session: Pick<Session, 'getKeys'>;
  readonly recipients: Pick<Recipients, 'knownAddressOf' | 'learn'>;
  readonly deviceLookUps: Pick<DeviceLookUps, 'reachOf' | 'prepareMany'>;
  readonly me: () => Me;
  /** Makes a tag for a query, as Baileys makes them. */
  readonly makeTag: () => string;
  /** How long Baileys waits for an answer, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/** What is asked for in one step: as many numbers as one query of an action has, and the devices of a small group. */
const NUMBERS_A_STEP = 50;
const PEOPLE_A_STEP = 100;

/** What was found out of the audience of one status, which the session does not keep. */
interface Progress {
  readonly stanzaId: string;
  readonly withoutAccount: Set<string>;
  readonly askedForDevices: Set<string>;
}

/**
 * `in_part`: a step was made, and more are needed. `nobody`: no viewer has an account with a device. Else the addresses of
 * those whom the status goes to.
 */
export type PreparedViewers = 'in_part' | 'nobody' | readonly string[];

/**
 * Finds out how the viewers of a status are reached. A thousand people may take forty queries, and the messages of other
 * chats must not wait for all of them: so one step asks for some people, and the status goes back into the line. What was
 * found is kept with the account (names, devices, keys), but for the numbers without an account, which are few and in memory.
 *
 * - The process dies: the next owner asks again for what was not kept, and goes on.
 * - WhatsApp does not answer, or limits a look-up: a `LookUpError`, and that look-up rests as for every message.
 * - Somebody has no account, or no device that can be written to: the status goes to all others.
 * - Every step asks for somebody who was not asked for before, so that the steps end.
 */
export class StatusViewers {
  readonly #parts: Parts;
  #progress: Progress | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Makes one step, or all of them at once for a status that may have left already: it keeps its place. */
  async prepare(stanzaId: string, audience: KeptAudience, allAtOnce: boolean): Promise<PreparedViewers> {
    for (;;) {
      const prepared = await this.#step(stanzaId, audience);
      if (prepared !== 'in_part' || !allAtOnce) return prepared;
    }
  }

  async #step(stanzaId: string, audience: KeptAudience): Promise<PreparedViewers> {
    const progress = this.#progressOf(stanzaId);
    const kept = await audience.find();
    const viewers = kept.isSettled ? kept.viewers : await this.#settle(progress, audience, kept.viewers);
    if (viewers === 'in_part') return 'in_part';
    const addresses = viewers.flatMap((viewer) => addressOf(viewer) ?? []);
    if (addresses.length === 0) return 'nobody';
    return this.#withDevices(progress, addresses);
  }

  /** Finds the accounts of the numbers, and settles the audience when all are known. */
  async #settle(
    { withoutAccount }: Progress,
    audience: KeptAudience,
    viewers: readonly Viewer[],
  ): Promise<readonly Viewer[] | 'in_part'> {
    const { recipients, session, me } = this.#parts;
    // One read for all, so that the look at each finds it in memory.
    await session.getKeys('lid-mapping', [...new Set(viewers.map(({ asked }) => digitsOf(asked)))]);
    const known = new Map<string, string>();
    const unknown: string[] = [];
    for (const { asked } of viewers) {
      const address = withoutAccount.has(asked) ? undefined : await recipients.knownAddressOf(asked);
      if (address !== undefined) known.set(asked, address);
      else if (!withoutAccount.has(asked)) unknown.push(asked);
    }
    if (unknown.length > 0) {
      await this.#askForAccounts(unknown.slice(0, NUMBERS_A_STEP), withoutAccount);
      return 'in_part';
    }
    const names = await findOtherNames(session, [...known.values()], me());
    const settled = viewers.map(({ asked }): Viewer => {
      const address = known.get(asked);
      if (address === undefined) return { asked, hasNoAccount: true };
      const both = [address, names.get(address)].filter((name) => name !== undefined);
      const lid = both.find((name) => name.endsWith('@lid'));
      const phoneJid = both.find((name) => !name.endsWith('@lid'));
      return { asked, ...(lid === undefined ? {} : { lid }), ...(phoneJid === undefined ? {} : { phoneJid }) };
    });
    return audience.settle(settleViewers(settled, (address) => isMe(address, me())));
  }

  /** Asks for numbers. One that WhatsApp passes over, while it answers for others, has no account as far as can be known. */
  async #askForAccounts(numbers: readonly string[], withoutAccount: Set<string>): Promise<void> {
    const { recipients, socket } = this.#parts;
    const accounts = await asLookUp('account', () => this.#query(numbers));
    if (accounts.size === 0) throw new LookUpError('account', undefined);
    const pairs: { lid: string; pn: string }[] = [];
    for (const asked of numbers) {
      const { exists = false, address = asked, lid } = accounts.get(digitsOf(asked)) ?? {};
      if (!exists) withoutAccount.add(asked);
      else {
        const account = isPerson(address) ? address : asked;
        recipients.learn(asked, account);
        if (lid !== undefined && account.endsWith('@s.whatsapp.net')) pairs.push({ lid, pn: account });
      }
    }
    await withDeadline('keeping the names of viewers', deadlines.send.ms, () =>
      socket.signalRepository.lidMapping.storeLIDPNMappings(pairs),
    );
  }

  async #query(numbers: readonly string[]): Promise<ReadonlyMap<string, Account>> {
    const { socket, queryTimeoutMs, makeTag } = this.#parts;
    const query = toAccountQuery(numbers.map(digitsOf), makeTag());
    const answer: unknown = await withDeadline('asking who has an account', deadlines.send.ms, () =>
      socket.query(query),
    );
    // Baileys returns nothing when its query was not answered in time; "no account" would be a guess.
    if (answer === undefined) throw new TimeoutError('asking who is on WhatsApp', queryTimeoutMs);
    return toAccounts(answer as Parameters<typeof toAccounts>[0]);
  }

  /** Asks for devices and keys that are missing, also our own. Who has none after that is left out. */
  async #withDevices({ askedForDevices }: Progress, addresses: readonly string[]): Promise<PreparedViewers> {
    const { deviceLookUps, me } = this.#parts;
    const all = [...addresses, ownAddress(me())];
    const missing: string[] = [];
    const reached: string[] = [];
    for (let from = 0; from < all.length && missing.length < PEOPLE_A_STEP; from += PEOPLE_A_STEP) {
      const some = all.slice(from, from + PEOPLE_A_STEP);
      for (const [index, reach] of (await deviceLookUps.reachOf(some)).entries()) {
        const address = some[index] ?? '';
        if (reach !== 'whole' && !askedForDevices.has(address)) missing.push(address);
        else if (reach !== 'none') reached.push(address);
      }
    }
    const next = missing.slice(0, PEOPLE_A_STEP);
    if (next.length > 0) {
      await deviceLookUps.prepareMany(next);
      for (const address of next) askedForDevices.add(address);
      return 'in_part';
    }
    const viewers = reached.filter((address) => !isMe(address, me()));
    return viewers.length === 0 ? 'nobody' : viewers;
  }

  #progressOf(stanzaId: string): Progress {
    if (this.#progress?.stanzaId !== stanzaId) {
      this.#progress = { stanzaId, withoutAccount: new Set(), askedForDevices: new Set() };
    }
    return this.#progress;
  }

  /** Forgets what was found, so that devices are asked for anew. */
  forget(): void {
    this.#progress = undefined;
  }
}

/** The address by which the account writes a status, and by which its own devices get it. */
export const ownAddress = ({ phoneJid, lid }: Me): string => lid ?? phoneJid;

const digitsOf = (address: string): string => parseJid(address)?.user ?? '';
