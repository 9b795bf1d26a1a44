import { randomInt } from 'node:crypto';
import { firstCharacters } from '../../shared/kernel/firstCharacters.ts';
import { bytesOf, child, children, node, stamp, type BinaryNode } from './node.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';

/**
 * What accounts show of themselves, and whom they have blocked. It is forgotten with the process. Forms: Baileys
 * (`chats.ts`, `USyncStatusProtocol`); what the server does with messages of people who are blocked is believed.
 */
export interface Profile {
  about: { readonly text: string; readonly at: string } | undefined;
  /** Whether the about is shown to nobody else. */
  aboutIsHidden: boolean;
  disappearing: number;
  readonly privacy: Map<string, string>;
  /** Numbers of those who are blocked. */
  readonly blocked: Set<string>;
  business: BinaryNode | undefined;
  /** Whether the account is there, and when it was last, for who subscribes; undefined where it shows neither. */
  presence: { readonly isAvailable: boolean; readonly last?: string } | undefined;
}

const PRIVACY: Readonly<Record<string, readonly string[]>> = {
  last: ['all', 'contacts', 'contact_blacklist', 'none'],
  online: ['all', 'match_last_seen'],
  profile: ['all', 'contacts', 'contact_blacklist', 'none'],
  status: ['all', 'contacts', 'contact_blacklist', 'none'],
  readreceipts: ['all', 'none'],
  groupadd: ['all', 'contacts', 'contact_blacklist'],
  calladd: ['all', 'known'],
};
const MOST_ABOUT = 139;

type Answer = readonly BinaryNode[] | { readonly error: number };

export class Profiles {
  readonly #world: World;
  readonly #enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
  readonly #profiles = new Map<string, Profile>();

  constructor(world: World, enqueue: (device: LinkedDevice, stanza: BinaryNode) => void) {
    this.#world = world;
    this.#enqueue = enqueue;
  }

  of(number: string): Profile {
    const known = this.#profiles.get(number);
    if (known !== undefined) return known;
    const profile: Profile = {
      about: undefined,
      aboutIsHidden: false,
      disappearing: 0,
      privacy: new Map(Object.keys(PRIVACY).map((name) => [name, 'all'])),
      blocked: new Set(),
      business: undefined,
      presence: undefined,
    };
    this.#profiles.set(number, profile);
    return profile;
  }

  /** Whether an account has blocked another one. */
  isBlocked(by: Account, { number }: Account): boolean {
    return this.#profiles.get(by.number)?.blocked.has(number) === true;
  }

  blocklist({ number }: LinkedDevice): Answer {
    const items = [...this.of(number).blocked].flatMap((blocked) => {
      const account = this.#world.accounts.get(blocked);
      return account === undefined ? [] : [node('item', { jid: jidOf(account, 0, 'lid') })];
    });
    return [node('list', {}, items)];
  }

  /** A client changes the list; its other devices are told. */
  changeBlocklist(device: LinkedDevice, query: BinaryNode): Answer {
    const item = child(query, 'item');
    const { action, jid } = item?.attrs ?? {};
    const account = findAddress(this.#world, jid)?.account;
    if (item === undefined || (action !== 'block' && action !== 'unblock')) return { error: 400 };
    if (account === undefined || account.number === device.number) return { error: 404 };
    this.block(device.number, account, action, device);
    return [];
  }

  /** The owner of a phone blocks somebody, or no longer. @param by the device that did it, which is not told */
  block(number: string, account: Account, action: 'block' | 'unblock', by?: LinkedDevice): void {
    const { blocked } = this.of(number);
    if (action === 'block') blocked.add(account.number);
    else blocked.delete(account.number);
    const owner = this.#world.accounts.get(number);
    if (owner === undefined) return;
    const item = node('item', { action, jid: jidOf(account, 0, 'lid'), pn_jid: jidOf(account, 0, WHATSAPP) });
    for (const device of owner.devices.values()) {
      if (device === by) continue;
      const attrs = {
        from: jidOf(owner, 0, WHATSAPP),
        type: 'account_sync',
        id: String(randomInt(1e9, 1e10)),
        t: stamp(),
      };
      this.#enqueue(device, node('notification', attrs, [node('blocklist', { action: 'modify' }, [item])]));
    }
  }

  setAbout({ number }: LinkedDevice, query: BinaryNode): Answer {
    const text = bytesOf(query, 'status')?.toString() ?? '';
    if (firstCharacters(text, MOST_ABOUT) !== text) return { error: 406 };
    this.of(number).about = text === '' ? undefined : { text, at: stamp() };
    return [];
  }

  setDisappearing({ number }: LinkedDevice, query: BinaryNode): Answer {
    const duration = Number(child(query, 'disappearing_mode')?.attrs['duration']);
    if (![0, 86_400, 604_800, 7_776_000].includes(duration)) return { error: 406 };
    this.of(number).disappearing = duration;
    return [];
  }

  privacy({ number }: LinkedDevice): Answer {
    const values = [...this.of(number).privacy].map(([name, value]) => node('category', { name, value }));
    return [node('privacy', {}, values)];
  }

  setPrivacy({ number }: LinkedDevice, query: BinaryNode): Answer {
    const asked = children(child(query, 'privacy'), 'category');
    const isTaken = asked.every(({ attrs: { name = '', value = '' } }) => PRIVACY[name]?.includes(value) === true);
    if (asked.length === 0 || !isTaken) return { error: 400 };
    for (const { attrs } of asked) this.of(number).privacy.set(attrs['name'] ?? '', attrs['value'] ?? '');
    return [node('privacy', {}, [...asked])];
  }

  business(query: BinaryNode): Answer {
    const asked = child(child(query, 'business_profile'), 'profile')?.attrs['jid'];
    const account = findAddress(this.#world, asked)?.account;
    const profile = account && this.#profiles.get(account.number)?.business;
    return [node('business_profile', {}, profile === undefined ? [] : [{ ...profile, attrs: { jid: asked ?? '' } }])];
  }

  /** What a look-up of a person says of the protocols that it asks for. */
  shown(asker: LinkedDevice | undefined, account: Account, asked: readonly string[]): readonly BinaryNode[] {
    const { about, aboutIsHidden, disappearing } = this.of(account.number);
    const isHidden = aboutIsHidden && asker?.number !== account.number;
    return [
      ...(asked.includes('status')
        ? [
            isHidden
              ? node('status', { code: '401', type: 'fail' })
              : node('status', about === undefined ? {} : { t: about.at }, Buffer.from(about?.text ?? '')),
          ]
        : []),
      ...(asked.includes('disappearing_mode')
        ? [node('disappearing_mode', { duration: String(disappearing), t: stamp() })]
        : []),
    ];
  }

  /** The word on a person for who subscribes; undefined where the person shows nothing. */
  presenceFor(jid: string): BinaryNode | undefined {
    const account = findAddress(this.#world, jid)?.account;
    const presence = account && this.#profiles.get(account.number)?.presence;
    if (presence === undefined) return undefined;
    const { isAvailable, last = 'deny' } = presence;
    return node('presence', { from: jid, ...(isAvailable ? {} : { type: 'unavailable', last }) });
  }
}
