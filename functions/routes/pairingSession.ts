import QRCode from 'qrcode';
import { z } from 'zod';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import {
  isTokenOf,
  linkStateOf,
  pairingLanguages,
  readToken,
  type PairingLink,
} from '../../shared/connection/pairingLink.ts';
import {
  findPairingLink,
  usePairingLink,
  type PairingLinkDependencies,
} from '../../shared/connection/pairingLinkStore.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { pairingSessionOf, type PairingSession } from '../../shared/connection/pairingSession.ts';
import { statusCodes, statusRules } from '../../shared/connection/status.ts';
import { assertActive, findStanding } from '../../shared/identity/standing.ts';
import { isTenantKeyOpen } from '../../shared/identity/tenantKeys.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import { givingBack, takeFor, type RateDependencies } from '../http/rates.ts';
import { route, type GiveBack, type Route, type TakingOfTenant } from '../http/route.ts';
import { Strangers } from '../http/strangers.ts';
import { askForPairing, pairingSchema, type PairingDependencies } from './connections.ts';
import { LinkVisits } from './linkVisits.ts';
import { brandSchema } from './pairingLinks.ts';
import { answerPasskey, PASSKEY_PROBLEMS, passkeyAnswerSchema } from './passkeys.ts';
import { inHalves, toStepView } from './passkeySteps.ts';

export interface PairingSessionDependencies extends PairingLinkDependencies, RateDependencies, PairingDependencies {
  readonly connections: Pick<ConnectionStore, 'find' | 'setWanted' | 'setPairing' | 'setPasskey'>;
}

const sessionSchema = z
  .object({
    state: z.enum(['ready', 'preparing', 'offered', 'passkey', 'linked', 'ended']),
    connectionId: z.string(),
    method: z.enum(['qr', 'code']).optional().meta({ description: 'Of the offer that is out.' }),
    qr: z
      .object({
        size: z.number().int().meta({ description: 'The width of the picture in squares, without a margin.' }),
        path: z.string().meta({ description: 'The dark squares, as the path of an SVG.', example: 'M0 0h7v1h-7z' }),
      })
      .optional(),
    step: z
      .enum(['required', 'checking', 'confirm'])
      .optional()
      .meta({ description: 'Of the passkey: to be signed, being checked, or the code to be compared.' }),
    options: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: "WebAuthn's request as JSON, to be signed on https://web.whatsapp.com." }),
    code: z
      .string()
      .optional()
      .meta({ description: 'To be typed on the phone, or compared with its own.', example: 'ABCD-1234' }),
    phoneNumber: z.string().optional().meta({ description: 'For which the code is.', example: '+4915123456789' }),
    expiresAt: z.iso
      .datetime()
      .optional()
      .meta({ description: 'When the offer ends; where it can, the next one follows.' }),
    reason: z.enum(statusCodes).optional().meta({ description: 'Why it takes time, or why nothing came of it.' }),
    sentence: z.string().optional().meta({ description: 'The reason in English.' }),
    nextAttemptAt: z.iso.datetime().optional(),
    account: z.string().optional().meta({ description: 'The end of the number that is linked.', example: '•••• 6789' }),
    isOnline: z.boolean().optional(),
    returnUrl: z.string().optional().meta({ description: 'Where the person is sent to, with what became of it.' }),
    origin: z.string().optional().meta({ description: 'The origin that may frame the page, and is told.' }),
    language: z.enum(pairingLanguages).optional(),
    brand: brandSchema.optional(),
    linkExpiresAt: z.iso.datetime(),
  })
  .meta({ id: 'PairingSession' });

type SessionView = z.infer<typeof sessionSchema>;

const PATH = '/v1/pairing-session';
const AUTHORIZATION = 'It is opened by the token of a link: `Authorization: Pairing <token>`.';

/** What may refuse a link. */
const PROBLEMS: readonly ErrorCode[] = [
  'pairing_link_invalid',
  'pairing_link_ended',
  'tenant_suspended',
  'tenant_deleted',
  'too_many_requests',
];

/** The routes that the pairing page calls, with the token of its link and no key. */
export function pairingSessionRoutes(dependencies: PairingSessionDependencies): readonly Route[] {
  const { connections, clock } = dependencies;
  const open = makeLinkOpener(dependencies);
  return [
    route('GET', PATH, {
      summary: 'Read how far the pairing of a link is: for the pairing page',
      description: AUTHORIZATION,
      access: 'public',
      problems: PROBLEMS,
      answers: { status: 200, schema: sessionSchema },
      handle: async ({ headers, address }) => {
        const { link, connection } = await open(headers['authorization'], address);
        return { status: 200, json: await readSession(dependencies, link, connection) };
      },
    }),
    route('POST', PATH, {
      summary: 'Ask for a pairing offer by a link: for the pairing page',
      description: `${AUTHORIZATION} It takes from the same quotas as POST /v1/connections/{connectionId}/pairing.`,
      access: 'public',
      body: pairingSchema,
      problems: [...PROBLEMS, 'connection_already_paired', 'too_many_pairings'],
      answers: { status: 202, schema: sessionSchema },
      handle: async ({ headers, address, body, correlationId }) => {
        const { link, connection } = await open(headers['authorization'], address);
        if (link.usedAtMs !== undefined) throw new AppError('pairing_link_ended');
        const taken: GiveBack[] = [];
        const take = async (takings: readonly TakingOfTenant[]): Promise<GiveBack> => {
          const giveBack = await takeFor(dependencies, link.tenantId, takings);
          taken.push(giveBack);
          return giveBack;
        };
        await givingBack(taken, () => askForPairing(dependencies, connection, body, { correlationId, take }));
        const asked = await connections.find(link.tenantId, link.connectionId);
        const view = toSessionView(link, pairingSessionOf(asked ?? connection, undefined, clock.nowMs()));
        return { status: 202, json: view };
      },
    }),
    passkeyRoute(dependencies, open),
  ];
}

/** The route by which the pairing page answers a request for a passkey. */
function passkeyRoute(dependencies: PairingSessionDependencies, open: LinkOpener): Route {
  return route('POST', `${PATH}/passkey`, {
    summary: 'Answer the request for a passkey by a link: for the pairing page',
    description: `${AUTHORIZATION} It is as POST /v1/connections/{connectionId}/pairing/passkey.`,
    access: 'public',
    body: passkeyAnswerSchema,
    problems: [...PROBLEMS, ...PASSKEY_PROBLEMS],
    answers: { status: 202, schema: sessionSchema },
    handle: async ({ headers, address, body, correlationId }) => {
      const { link, connection } = await open(headers['authorization'], address);
      if (link.usedAtMs !== undefined) throw new AppError('pairing_link_ended');
      await answerPasskey(dependencies, connection, body, correlationId);
      const answered = await dependencies.connections.find(link.tenantId, link.connectionId);
      return { status: 202, json: await readSession(dependencies, link, answered ?? connection) };
    },
  });
}

type LinkOpener = (authorization: string | undefined, address: string | undefined) => Promise<Opened>;

interface Opened {
  readonly link: PairingLink;
  readonly connection: Connection;
}

/**
 * Makes the check of `Authorization: Pairing <token>`, which throws `pairing_link_invalid`, `pairing_link_ended`, `tenant_suspended` and
 * `too_many_requests`. Nothing is remembered: what ends a link ends it at once.
 */
function makeLinkOpener(dependencies: PairingSessionDependencies): LinkOpener {
  const strangers = new Strangers();
  const visits = new LinkVisits();
  const { connections, clock } = dependencies;
  return async (authorization, address) => {
    const token = /^Pairing +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const named = readToken(token);
    if (named === undefined) throw new AppError('pairing_link_invalid');
    strangers.assertRoom(address, clock.nowMs());
    visits.count(named.linkId, clock.nowMs());
    const link = await findPairingLink(dependencies, named.connectionId, named.linkId);
    if (link === undefined || !isTokenOf(token, link)) {
      strangers.note(address, clock.nowMs());
      throw new AppError('pairing_link_invalid');
    }
    const state = linkStateOf(link, clock.nowMs());
    if (state === 'expired' || state === 'revoked') throw new AppError('pairing_link_ended');
    assertActive(await findStanding(dependencies, link.tenantId));
    if (!(await isTenantKeyOpen(dependencies, link))) throw new AppError('pairing_link_ended');
    const connection = await connections.find(link.tenantId, link.connectionId);
    const isThere = connection !== undefined && connection.wanted !== 'deleted';
    // An account that was linked and is gone again is no reason to link the next one by the same link.
    if (!isThere || (state === 'used' && connection.account === undefined)) throw new AppError('pairing_link_ended');
    return { link, connection };
  };
}

/** Reads the session of a link. The first look at a linked account uses the link up. */
async function readSession(
  dependencies: PairingSessionDependencies,
  link: PairingLink,
  connection: Connection,
): Promise<SessionView> {
  const nowMs = dependencies.clock.nowMs();
  if (connection.account !== undefined) {
    if (link.usedAtMs === undefined) await usePairingLink(dependencies, link);
    return toSessionView(link, pairingSessionOf(connection, undefined, nowMs));
  }
  const offer = await findPairingOffer(dependencies, connection.connectionId, nowMs);
  return toSessionView(link, pairingSessionOf(connection, offer, nowMs));
}

function toSessionView(link: PairingLink, session: PairingSession): SessionView {
  const { connectionId, origin, language, returnUrl, expiresAtMs, brand } = link;
  return {
    connectionId,
    ...toStateView(session),
    ...(returnUrl === undefined ? {} : { returnUrl: returnUrlOf(returnUrl, connectionId, session) }),
    ...(origin === undefined ? {} : { origin }),
    ...(language === undefined ? {} : { language }),
    ...(brand === undefined ? {} : { brand }),
    linkExpiresAt: new Date(expiresAtMs).toISOString(),
  };
}

type StateView = Omit<SessionView, 'connectionId' | 'linkExpiresAt'>;
type ViewOf<State extends PairingSession['state']> = (
  session: Extract<PairingSession, { readonly state: State }>,
) => StateView;

/** What is shown of each state. */
const stateViews: { readonly [State in PairingSession['state']]: ViewOf<State> } = {
  ready: () => ({ state: 'ready' }),
  linked: ({ phone, isOnline }) => ({ state: 'linked', account: phone, isOnline }),
  ended: ({ code }) => ({ state: 'ended', reason: code, sentence: statusRules[code].sentence }),
  preparing: ({ code, nextAttemptAtMs }) => ({
    state: 'preparing',
    reason: code,
    sentence: statusRules[code].sentence,
    ...(nextAttemptAtMs === undefined ? {} : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() }),
  }),
  offered: ({ offer }) => {
    const expiresAt = new Date(offer.expiresAtMs).toISOString();
    if (offer.method === 'qr') return { state: 'offered', method: 'qr', qr: toSquares(offer.qr), expiresAt };
    const { method, code, phoneNumber } = offer;
    return { state: 'offered', method, code: inHalves(code), phoneNumber: `+${phoneNumber}`, expiresAt };
  },
  passkey: ({ step }) => {
    const { method, ...shown } = toStepView(step);
    return { state: 'passkey', step: stepNames[method], ...shown };
  },
};

const stepNames = {
  passkey_required: 'required',
  passkey_checking: 'checking',
  passkey_confirm: 'confirm',
} as const;

function toStateView<State extends PairingSession['state']>(
  session: Extract<PairingSession, { readonly state: State }> & { readonly state: State },
): StateView {
  return stateViews[session.state](session);
}

/** The dark squares of a QR picture, row by row, so that the page needs no way to make one. */
export function toSquares(text: string): { readonly size: number; readonly path: string } {
  const { modules } = QRCode.create(text);
  const { size } = modules;
  const runs: string[] = [];
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (modules.get(row, column) === 0) continue;
      const from = column;
      while (column + 1 < size && modules.get(row, column + 1) !== 0) column += 1;
      const width = column + 1 - from;
      runs.push(`M${from} ${row}h${width}v1h-${width}z`);
    }
  }
  return { size, path: runs.join('') };
}

/** The address to which the person returns, with the connection and what became of it. */
function returnUrlOf(returnUrl: string, connectionId: string, { state }: PairingSession): string {
  const url = new URL(returnUrl);
  url.searchParams.set('connectionId', connectionId);
  url.searchParams.set('pairing', state === 'linked' ? 'linked' : 'open');
  return url.href;
}
