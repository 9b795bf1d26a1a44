import { lookup as dnsLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { systemClock, type Clock } from '../kernel/clock.ts';
import { withDeadline } from '../kernel/deadline.ts';
import { deadlines } from '../kernel/deadlines.ts';

/**
 * Decides where a URL of a tenant may lead, a webhook or the link to a file, so that nobody can make us talk to our own network or to
 * the cloud's metadata service. The guard is asked twice: when the URL is stored, and by the network connection itself, which looks names up
 * through it: the addresses that were judged are the ones that are dialled, so a name that changes its answer in
 * between gains nothing.
 */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a name to all its addresses. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface AddressGuardOptions {
  readonly resolve: Resolve;
  /** Whether `http://127.0.0.1` and `http://localhost` pass, and nothing else; only the embedded stack sets it. */
  readonly allowLoopback: boolean;
  /** The machine's own when left out. */
  readonly clock?: Pick<Clock, 'monotonicMs'>;
}

/** The reasons for which a URL is refused: a stable code and one sentence that says what to do. */
export const urlRefusals = {
  not_a_url: 'This is no URL. Write it like https://example.com/path.',
  not_https: 'The URL must begin with https://.',
  has_credentials: 'The URL must not contain a user name or password.',
  does_not_resolve: 'The host name of the URL does not resolve. Check its spelling and its DNS records.',
  not_public: 'The host of the URL leads to an address that is not public.',
} as const;
export type UrlRefusal = keyof typeof urlRefusals;

/** A network connection was refused because of the address that it would have led to. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly refusal: UrlRefusal;

  constructor(refusal: UrlRefusal, options?: { readonly cause?: unknown }) {
    super(urlRefusals[refusal], options);
    this.refusal = refusal;
  }
}

/** The addresses of a name, as the machine resolves it. */
export const systemResolve: Resolve = (hostname) => dnsLookup(hostname, { all: true, verbatim: true });

/** How long network connections go to the addresses of the last look-up, in milliseconds. */
const PINNED_MS = 30_000;
const PINNED_HOSTS = 2_000;

export class AddressGuard {
  readonly #resolve: Resolve;
  readonly #allowLoopback: boolean;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #pinned = new LRUCache<string, { readonly addresses: readonly ResolvedAddress[]; readonly untilMs: number }>(
    {
      max: PINNED_HOSTS,
    },
  );

  constructor({ resolve, allowLoopback, clock = systemClock }: AddressGuardOptions) {
    this.#clock = clock;
    this.#resolve = resolve;
    this.#allowLoopback = allowLoopback;
  }

  /** Judges a URL with a look-up of its host. Returns why it is refused, or undefined when it may be used. */
  async refusalOf(text: string): Promise<UrlRefusal | undefined> {
    const refusal = this.refusalOfText(text);
    if (refusal !== undefined) return refusal;
    const host = hostOf(new URL(text));
    if (ipaddr.isValid(host)) return undefined;
    try {
      await this.addressesOf(host);
      return undefined;
    } catch (error) {
      if (error instanceof AddressRefusedError) return error.refusal;
      throw error;
    }
  }

  /**
   * Judges what the text alone shows: scheme, credentials, an address in place of a name. A network connection to an
   * address makes no look-up, so this is called before each request as well.
   */
  refusalOfText(text: string): UrlRefusal | undefined {
    const url = URL.parse(text);
    if (url === null) return 'not_a_url';
    const host = hostOf(url);
    const loopback = this.#allowLoopback && LOOPBACK_HOSTS.has(host);
    if (url.protocol !== 'https:' && !(loopback && url.protocol === 'http:')) return 'not_https';
    if (url.username !== '' || url.password !== '') return 'has_credentials';
    return !ipaddr.isValid(host) || loopback || isPublic(host) ? undefined : 'not_public';
  }

  /**
   * The addresses of a host name, when every one of them may be dialled.
   * Throws {@link AddressRefusedError} otherwise, also when the name does not resolve in 5 s.
   */
  async addressesOf(hostname: string): Promise<readonly ResolvedAddress[]> {
    const found = await withDeadline('the look-up of a host', deadlines.hostLookUp.ms, () =>
      this.#resolve(hostname),
    ).catch((cause: unknown) => {
      throw new AddressRefusedError('does_not_resolve', { cause });
    });
    if (found.length === 0) throw new AddressRefusedError('does_not_resolve');
    const loopback = this.#allowLoopback && LOOPBACK_HOSTS.has(hostname);
    const allowed = found.every(({ address }) => isPublic(address) || (loopback && isLoopback(address)));
    if (!allowed) throw new AddressRefusedError('not_public');
    return found;
  }

  /**
   * The look-up for a network connection, in the form of `net.connect`. The addresses of a host serve the connections of
   * the next half minute, so that a burst of them makes one look-up. That opens no way inside: whether an address is
   * public does not change with time, only judged ones are kept, and a name that changes its answer meanwhile is dialled
   * where it was, as by a connection that is open. A refusal is not kept.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    callbackify(() => this.#pinnedAddressesOf(hostname))((error, addresses) => {
      const [first] = error === null ? addresses : [];
      if (first === undefined) callback(error, []);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };

  /** Has the next network connection to a host look it up anew, because the last one led nowhere. */
  unpin(hostname: string): void {
    this.#pinned.delete(hostname);
  }

  async #pinnedAddressesOf(hostname: string): Promise<readonly ResolvedAddress[]> {
    const nowMs = this.#clock.monotonicMs();
    const pinned = this.#pinned.get(hostname);
    if (pinned !== undefined && nowMs < pinned.untilMs) return pinned.addresses;
    const addresses = await this.addressesOf(hostname);
    this.#pinned.set(hostname, { addresses, untilMs: nowMs + PINNED_MS });
    return addresses;
  }
}

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost']);

/** The host of a URL as it is looked up: in lower case, addresses in their usual form, no brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/**
 * Whether an address is public on the internet. An IPv6 address that carries an IPv4 address by which it is reached
 * (mapped, or through NAT64) is judged as that one. 6to4 and Teredo are refused as a whole: nobody needs them.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.range() === 'unicast';
  const ipv6 = parsed as ipaddr.IPv6;
  if (ipv6.match(NAT64)) return isPublic(new ipaddr.IPv4(ipv6.toByteArray().slice(12)).toString());
  // Only 2000::/3 is assigned; addresses outside of it have no meaning of their own or an old one, such as ::127.0.0.1.
  return ipv6.range() === 'unicast' && ipv6.match(GLOBAL_UNICAST);
}

const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
