import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import {
  isOrigin,
  isReturnUrl,
  linkStateOf,
  pairingLanguages,
  type PairingLink,
} from '../../shared/connection/pairingLink.ts';
import {
  createPairingLink,
  listPairingLinks,
  revokePairingLink,
  type PairingLinkDependencies,
} from '../../shared/connection/pairingLinkStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

export interface PairingLinkRouteDependencies extends PairingLinkDependencies {
  readonly connections: Pick<ConnectionStore, 'find'>;
  /** Where the pairing page is found, such as `https://api.example.com`; undefined for the address that a link was asked for at. */
  readonly pageOrigin?: string | undefined;
}

export const PAIRING_PAGE_PATH = '/pair';
const SHORTEST_SECONDS = 60;
const LONGEST_SECONDS = 86_400;
const USUAL_SECONDS = 3_600;
const MOST_URL_CHARACTERS = 2_048;
/** A name of a host with or without a port, as an answer may repeat it. */
const HOST = /^[a-z0-9.-]+(?::\d{1,5})?$/i;

const url = z.string().max(MOST_URL_CHARACTERS);

/** Characters that break lines, show nothing, or turn around what stands beside them. Joiners are parts of emoji and of words. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const SHOWN = /[\p{L}\p{N}\p{P}\p{S}]/u;
const MOST_NAME_CHARACTERS = 60;

/** The brand of a page, as a tenant writes it. */
export const brandSchema = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(MOST_NAME_CHARACTERS)
      .refine(
        (text) => SHOWN.test(text) && !UNSHOWN.test(text),
        'must be a name in one line, without characters that show nothing',
      )
      .optional()
      .meta({ description: 'It stands above everything.', example: 'Acme' }),
    color: z
      .string()
      .regex(/^#[\da-fA-F]{6}$/, 'must be a colour, such as #0a6b52')
      .optional()
      .meta({ description: 'Of the button that comes first; the page chooses black or white for its text.' }),
  })
  .meta({ id: 'PairingBrand' });

const newLinkSchema = z
  .strictObject({
    expiresIn: z
      .number()
      .int()
      .min(SHORTEST_SECONDS)
      .max(LONGEST_SECONDS)
      .default(USUAL_SECONDS)
      .meta({ description: 'For how many seconds the link can be used.' }),
    returnUrl: url
      .refine(isReturnUrl, 'must be an address with https, or with http on this machine (127.0.0.1 or localhost)')
      .optional()
      .meta({ description: 'Where the page sends the person once the account is linked.' }),
    origin: url
      .refine(isOrigin, 'must be an origin, such as https://app.example.com, with nothing behind it')
      .optional()
      .meta({
        description: 'The one origin that may frame the page, or open it in a window, and is told by postMessage.',
      }),
    language: z
      .enum(pairingLanguages)
      .optional()
      .meta({ description: 'The language of the page; else that of the browser.' }),
    brand: brandSchema.optional(),
  })
  .meta({ id: 'NewPairingLink' });

const at = z.iso.datetime();
const linkFields = {
  id: z.string(),
  expiresAt: at.meta({ description: 'From when it opens nothing any more.' }),
  returnUrl: z.string().optional(),
  origin: z.string().optional(),
  language: z.enum(pairingLanguages).optional(),
  brand: brandSchema.optional(),
};
const madeLinkSchema = z
  .object({
    ...linkFields,
    url: z.string().meta({
      description:
        'The page, for the person who has the phone. It opens this pairing and nothing else, and is shown this once.',
    }),
  })
  .meta({ id: 'MadePairingLink' });
const linkSchema = z
  .object({
    ...linkFields,
    state: z.enum(['open', 'used', 'expired']).meta({ description: 'Whether it can still be used.' }),
    createdAt: at,
    usedAt: at.optional().meta({ description: 'When an account was seen to be linked.' }),
  })
  .meta({ id: 'PairingLink' });

const PATH = '/v1/connections/{connectionId}/pairing-links';

/** The routes by which a tenant gives somebody a page on which to link an account, without a key. */
export function pairingLinkRoutes(dependencies: PairingLinkRouteDependencies): readonly Route[] {
  const { connections, clock } = dependencies;
  return [
    route('POST', PATH, {
      summary: 'Make a link to a page on which a person links an account to the connection',
      description:
        'The page needs no key. The link can be used until an account is linked, it expires, it is revoked, or the key with which it was made is. docs/pairing.md says what the page does.',
      body: newLinkSchema,
      isBodyOptional: true,
      problems: ['connection_already_paired'],
      answers: { status: 201, schema: madeLinkSchema, example: EXAMPLE },
      handle: async ({ tenantId, keyId, parameters, body, headers }) => {
        const { connectionId, account } = await findConnection(connections, tenantId, parameters['connectionId']);
        if (account !== undefined) throw new AppError('connection_already_paired');
        const { expiresIn, returnUrl, origin, language, brand } = body;
        const terms = { returnUrl, origin, language, brand };
        const lastsMs = expiresIn * 1_000;
        const made = { tenantId, connectionId, keyId, ...terms, lastsMs };
        const { link, token } = await createPairingLink(dependencies, made);
        const page = `${dependencies.pageOrigin ?? originOf(headers)}${pagePathOf(link)}`;
        return { status: 201, json: { ...toFields(link), url: `${page}#${token.reveal()}` } };
      },
    }),
    route('GET', PATH, {
      summary: 'List the links to the pairing page of a connection, oldest first',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(linkSchema) },
      handle: async ({ tenantId, parameters, query }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const after = query.after === undefined ? undefined : parseId('plk', query.after);
        if (query.after !== undefined && after === undefined) throw new AppError('invalid_cursor');
        const { links, next } = await listPairingLinks(dependencies, connectionId, { after, limit: query.limit });
        const data = links.map((link) => toView(link, clock.nowMs()));
        return { status: 200, json: toPage(data, next) };
      },
    }),
    route('DELETE', `${PATH}/{linkId}`, {
      summary: 'Revoke a link to the pairing page; an offer that is out stays',
      answers: { status: 204 },
      handle: async ({ tenantId, parameters }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const linkId = parseId('plk', parameters['linkId'] ?? '');
        const outcome = linkId && (await revokePairingLink(dependencies, connectionId, linkId));
        if (outcome !== 'set') throw new AppError('pairing_link_not_found');
        return { status: 204 };
      },
    }),
  ];
}

const EXAMPLE = {
  id: 'plk_01K3C5F7XQ8M2V4N6B9D0E1G3H',
  expiresAt: '2026-08-01T13:00:00.000Z',
  returnUrl: 'https://shop.example.com/linked',
  url: 'https://api.example.com/pair#pair_01K3C5F7XQ4T6V8X0Z2B4D6F8H01K3C5F7XQ8M2V4N6B9D0E1G3H2Xz0l6pQ1b8mJ5rT9vC3nY7kD4wF6hA0sE8gU2iO5qM',
};

/** The path of the page. Who frames it is said there, as browsers ask for that before the page can read its token. */
function pagePathOf({ origin }: Pick<PairingLink, 'origin'>): string {
  return origin === undefined ? PAIRING_PAGE_PATH : `${PAIRING_PAGE_PATH}?${String(new URLSearchParams({ origin }))}`;
}

/** The address at which the request came. Only whoever makes the request is told it. */
function originOf(headers: Readonly<Record<string, string | undefined>>): string {
  const host = headers['host'] ?? '';
  if (!HOST.test(host)) return '';
  return `${headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${host}`;
}

function toFields({ linkId, expiresAtMs, returnUrl, origin, language, brand }: PairingLink) {
  return {
    id: linkId,
    expiresAt: new Date(expiresAtMs).toISOString(),
    ...(returnUrl === undefined ? {} : { returnUrl }),
    ...(origin === undefined ? {} : { origin }),
    ...(language === undefined ? {} : { language }),
    ...(brand === undefined ? {} : { brand }),
  };
}

function toView(link: PairingLink, nowMs: number) {
  const { createdAtMs, usedAtMs } = link;
  return {
    ...toFields(link),
    state: usedAtMs === undefined ? linkStateOf(link, nowMs) : 'used',
    createdAt: new Date(createdAtMs).toISOString(),
    ...(usedAtMs === undefined ? {} : { usedAt: new Date(usedAtMs).toISOString() }),
  };
}
