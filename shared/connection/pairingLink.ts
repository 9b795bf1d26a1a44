import { createHash, timingSafeEqual } from 'node:crypto';
import { parseId, type ApiKeyId, type ConnectionId, type PairingLinkId, type TenantId } from '../kernel/id.ts';

/** The languages that the pairing page speaks. */
export const pairingLanguages = ['en', 'pt', 'es', 'id', 'de', 'it'] as const;
export type PairingLanguage = (typeof pairingLanguages)[number];

/** The name and colour by which a person knows for whom the page is. */
export interface Brand {
  /** A name that stands above everything. */
  readonly name?: string | undefined;
  /** The colour of the button that comes first, as `#rrggbb`. */
  readonly color?: string | undefined;
}

/** What whoever makes a link chooses about it. */
export interface PairingLinkTerms {
  /** Where the person is sent once the account is linked. */
  readonly returnUrl: string | undefined;
  /** The one origin that may frame the page, and that it tells what became of the pairing. */
  readonly origin: string | undefined;
  /** The language of the page; that of the browser when left out. */
  readonly language: PairingLanguage | undefined;
  readonly brand: Brand | undefined;
}

/** A link to the pairing page of one connection. Its bearer may link an account to that, and nothing else. */
export interface PairingLink extends PairingLinkTerms {
  readonly linkId: PairingLinkId;
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  /** The key with which it was made: a link ends with its key. */
  readonly keyId: ApiKeyId;
  /** The SHA-256 of the token in hex. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** When an account was seen to be linked; from then on nothing can be asked for by the link. */
  readonly usedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
}

/** How long a used link still shows that the account is linked, in milliseconds: a page that is reloaded must be able to return. */
export const USED_SHOWN_MS = 10 * 60_000;

/** What becomes of who comes with a link. */
export type LinkState = 'open' | 'used' | 'expired' | 'revoked';

/** The state of a link at a time. A used one is `expired` once it has been shown for long enough. */
export function linkStateOf(
  link: Pick<PairingLink, 'expiresAtMs' | 'usedAtMs' | 'revokedAtMs'>,
  nowMs: number,
): LinkState {
  if (link.revokedAtMs !== undefined) return 'revoked';
  if (link.usedAtMs !== undefined) return nowMs < link.usedAtMs + USED_SHOWN_MS ? 'used' : 'expired';
  return nowMs < link.expiresAtMs ? 'open' : 'expired';
}

const PREFIX = 'pair_';
/** The ids of the connection and of the link, without their prefixes, and 256 random bits. */
const TOKEN = /^pair_([0-9A-Z]{26})([0-9A-Z]{26})[A-Za-z0-9_-]{43}$/;

/** The token of a link. It names the link, so that one read finds it, and holds a secret of which only the hash is stored. */
export function makeToken(connectionId: ConnectionId, linkId: PairingLinkId, secret: Uint8Array): string {
  const bare = (id: string): string => id.slice(id.indexOf('_') + 1);
  return `${PREFIX}${bare(connectionId)}${bare(linkId)}${Buffer.from(secret).toString('base64url')}`;
}

/** The link that a token names; undefined for a text that is no token. */
export function readToken(
  token: string,
): { readonly connectionId: ConnectionId; readonly linkId: PairingLinkId } | undefined {
  const [, connection = '', link = ''] = TOKEN.exec(token) ?? [];
  const connectionId = parseId('con', `con_${connection}`);
  const linkId = parseId('plk', `plk_${link}`);
  return connectionId === undefined || linkId === undefined ? undefined : { connectionId, linkId };
}

/** The SHA-256 of a token in hex, which is all that is stored of it. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whether a token is that of a link. The time that it takes says nothing about the token. */
export function isTokenOf(token: string, { hash }: Pick<PairingLink, 'hash'>): boolean {
  return timingSafeEqual(Buffer.from(hashOfToken(token)), Buffer.from(hash));
}

/** Whether a text is an address to which a person may be sent: https, or http on this machine for who tries it out. */
export function isReturnUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(url.hostname));
}

/** The characters of names of hosts. URLs may have others there, such as `*` and `;`, which mean something where a page says who may frame it. */
const ORIGIN = /^https?:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/;

/** Whether a text is exactly the origin of such an address, without a path or a slash at its end. */
export function isOrigin(text: string): boolean {
  return ORIGIN.test(text) && isReturnUrl(text) && URL.parse(text)?.origin === text;
}
