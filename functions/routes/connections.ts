import QRCode from 'qrcode';
import { z } from 'zod';
import { PAIRING_REQUEST_LIMIT_MS, publicStatusOf, type Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { findPairingOffer, type StoredOffer } from '../../shared/connection/pairingOffer.ts';
import {
  applyChange,
  connectionChangeSchema,
  type Changeable,
  type ConnectionChange,
} from '../../shared/connection/settings.ts';
import { createConnection, type PlacementDependencies } from '../../shared/connection/placement.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { makeId, parseId, type ConnectionId, type CorrelationId, type TenantId } from '../../shared/kernel/id.ts';
import { parsePhoneNumber } from '../../shared/kernel/jid.ts';
import type { CommandQueue } from '../../shared/message/command.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { route, type Answer, type Route, type Take, type TakingOfTenant } from '../http/route.ts';
import { requestControl } from '../runtime/requestControl.ts';
import { inHalves, passkeyStepSchemas, toStepView } from './passkeySteps.ts';
import { connectionViewSchema, limitSchema, pageOf, toConnectionView, toPage } from './views.ts';

export interface ConnectionRouteDependencies extends Pick<Surroundings, 'logger'>, PlacementDependencies, CommandQueue {
  readonly connections: ConnectionStore;
  /** The connections that this process remembers as able to send. */
  readonly sendable: { readonly forget: (connectionId: ConnectionId) => void };
  readonly table: DynamoDBDocumentClient;
}

export const pairingSchema = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('qr') }),
    z.strictObject({
      method: z.literal('code'),
      phoneNumber: z
        .string()
        .refine(
          (text) => parsePhoneNumber(text) !== undefined,
          'Write it in international form, like +49 151 23456789.',
        ),
    }),
  ])
  .meta({ id: 'NewPairing' });

const offerSchema = z
  .discriminatedUnion('method', [
    z.object({
      method: z.literal('qr'),
      qr: z.string().meta({ description: 'Text of the QR picture; ask for image/png to get the picture.' }),
      expiresAt: z.iso.datetime(),
    }),
    z.object({
      method: z.literal('code'),
      code: z.string().meta({ description: 'To be typed on the phone.', example: 'ABCD-1234' }),
      phoneNumber: z.string().meta({ description: 'For which the code is.', example: '+4915123456789' }),
      expiresAt: z.iso.datetime(),
    }),
    ...passkeyStepSchemas,
  ])
  .meta({ id: 'PairingOffer' });

/**
 * Finds a connection of the calling tenant. Another tenant's, a deleted one and nonsense are all
 * `connection_not_found`.
 */
export async function findConnection(
  connections: Pick<ConnectionStore, 'find'>,
  tenantId: TenantId,
  text: string | undefined,
): Promise<Connection> {
  const connectionId = parseId('con', text ?? '');
  const connection = connectionId && (await connections.find(tenantId, connectionId));
  if (connection === undefined || connection.wanted === 'deleted') throw new AppError('connection_not_found');
  return connection;
}

/** Label, metadata and settings after a change. Throws `invalid_request` when they do not go together. */
function changed(current: Changeable, change: ConnectionChange): Changeable {
  const next = applyChange(current, change);
  if ('problems' in next) throw new AppError('invalid_request', { fields: next.problems });
  return next;
}

// oxlint-disable-next-line max-lines-per-function -- a table: one row after the other
export function connectionRoutes(dependencies: ConnectionRouteDependencies): readonly Route[] {
  const { connections, clock } = dependencies;
  const control = requestControl.bind(undefined, dependencies);

  return [
    route('POST', '/v1/connections', {
      summary: 'Create a connection; link an account to it next',
      body: connectionChangeSchema,
      problems: ['quota_exceeded', 'no_share_left', 'no_shard_available'],
      answers: { status: 201, schema: connectionViewSchema },
      handle: async ({ tenantId, body, quotas }) => {
        const chosen = changed({ label: undefined }, body);
        const connection = await createConnection(dependencies, tenantId, chosen, await quotas());
        return { status: 201, json: toConnectionView(connection, clock.nowMs()) };
      },
    }),
    route('GET', '/v1/connections', {
      summary: 'List connections, oldest first',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(connectionViewSchema) },
      handle: async ({ tenantId, query }) => {
        const after = query.after === undefined ? undefined : parseId('con', query.after);
        if (query.after !== undefined && after === undefined) throw new AppError('invalid_cursor');
        const page = await connections.list(tenantId, { after, limit: query.limit });
        const data = page.connections.map((connection) => toConnectionView(connection, clock.nowMs()));
        return { status: 200, json: toPage(data, page.next) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}', {
      summary: 'Read a connection and its status',
      answers: { status: 200, schema: connectionViewSchema },
      handle: async ({ tenantId, parameters }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        return { status: 200, json: toConnectionView(connection, clock.nowMs()) };
      },
    }),
    route('PATCH', '/v1/connections/{connectionId}', {
      summary: 'Change label, metadata and settings; what is left out stays, null removes',
      body: connectionChangeSchema,
      problems: ['change_conflict'],
      answers: { status: 200, schema: connectionViewSchema },
      handle: async ({ tenantId, parameters, body, correlationId }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const outcome = await connections.setChangeable(connection, changed(connection, body));
        if (outcome === 'missing') throw new AppError('change_conflict');
        if (body.settings !== undefined) await control(connection, 'refresh', correlationId, 'recorded');
        const now = await findConnection(connections, tenantId, parameters['connectionId']);
        return { status: 200, json: toConnectionView(now, clock.nowMs()) };
      },
    }),
    route('DELETE', '/v1/connections/{connectionId}', {
      summary: 'Delete a connection and unlink its device',
      description:
        'Its messages, chats and people are not shown any more, and are removed; the files that came with messages are `gone` within minutes after `connection.deleted`. Files that you brought stay.',
      answers: { status: 202 },
      handle: async ({ tenantId, parameters, correlationId }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        await connections.setWanted(tenantId, connection.connectionId, 'deleted');
        dependencies.sendable.forget(connection.connectionId);
        await control(connection, 'unlink', correlationId, 'recorded');
        return { status: 202 };
      },
    }),
    route('POST', '/v1/connections/{connectionId}/pairing', {
      summary: 'Ask for a pairing offer: a QR, or a code for a phone number',
      body: pairingSchema,
      problems: ['connection_already_paired', 'too_many_pairings'],
      answers: { status: 202, schema: z.object({ method: z.enum(['qr', 'code']), offer: z.string() }) },
      handle: async ({ tenantId, parameters, body, correlationId, take }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        await askForPairing(dependencies, connection, body, { correlationId, take });
        const offer = `/v1/connections/${connection.connectionId}/pairing`;
        return { status: 202, json: { method: body.method, offer } };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/pairing', {
      summary:
        'Read the pairing offer, or the step of a passkey, that is out now, as JSON; a QR as a picture, too (Accept: image/png)',
      headers: ['accept'],
      problems: ['connection_already_paired', 'pairing_not_found', 'pairing_pending', 'not_acceptable'],
      answers: { status: 200, schema: offerSchema, picture: 'image/png' },
      handle: async ({ tenantId, parameters, headers }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const offer = await findPairingOffer(dependencies, connection.connectionId, clock.nowMs());
        if (offer === undefined && connection.account !== undefined) throw new AppError('connection_already_paired');
        if (offer === undefined) throw noOffer(connection, clock.nowMs());
        if (/image\/png/i.test(headers['accept'] ?? '')) return toPicture(offer);
        return { status: 200, json: toOfferView(offer) };
      },
    }),
  ];
}

/** What it takes to ask for a pairing offer. */
export type PairingDependencies = CommandQueue &
  Pick<Surroundings, 'clock' | 'random' | 'logger'> & {
    readonly connections: Pick<ConnectionStore, 'setWanted' | 'setPairing'>;
  };

/**
 * Asks for a pairing offer of a connection that the caller has read. Throws `connection_already_paired`, and the problem of a rate that
 * refuses, before anything is written.
 */
export async function askForPairing(
  dependencies: PairingDependencies,
  connection: Connection,
  body: z.infer<typeof pairingSchema>,
  { correlationId, take }: { readonly correlationId: CorrelationId; readonly take: Take },
): Promise<void> {
  const { connections, clock, random } = dependencies;
  const { tenantId, connectionId } = connection;
  if (connection.account !== undefined) throw new AppError('connection_already_paired');
  await take(pairingsTaken(connectionId, body));
  // A tenant that links an account wants it online; `start` is for connections that are linked.
  if (connection.wanted === 'off') await connections.setWanted(tenantId, connectionId, 'online');
  const requestedAtMs = clock.nowMs();
  const common = { requestId: makeId('cor', requestedAtMs, random), requestedAtMs };
  const pairing =
    body.method === 'qr'
      ? ({ ...common, method: 'qr' } as const)
      : ({ ...common, method: 'code', phoneNumber: parsePhoneNumber(body.phoneNumber) ?? '' } as const);
  const outcome = await connections.setPairing(tenantId, connectionId, pairing);
  if (outcome === 'missing') throw new AppError('connection_already_paired');
  await requestControl(dependencies, connection, 'pair', correlationId, 'recorded');
}

/** What a pairing offer takes: its request shows a notice on the phone of a number, and opens a socket. */
function pairingsTaken(of: ConnectionId, body: z.infer<typeof pairingSchema>): readonly TakingOfTenant[] {
  return [
    { quota: 'pairings' },
    { quota: 'pairingsOfConnection', of },
    ...(body.method === 'code'
      ? [{ quota: 'pairingsOfNumber', of: parsePhoneNumber(body.phoneNumber) ?? '' } as const]
      : []),
  ];
}

/** The offer as a phone shows and asks for it: the number with its plus sign, the code in two halves. */
function toOfferView(offer: StoredOffer): z.infer<typeof offerSchema> {
  const expiresAt = new Date(offer.expiresAtMs).toISOString();
  if (offer.method === 'qr') return { method: offer.method, qr: offer.qr, expiresAt };
  if (offer.method !== 'code') return toStepView(offer);
  const { method, code, phoneNumber } = offer;
  return { method, code: inHalves(code), phoneNumber: `+${phoneNumber}`, expiresAt };
}

async function toPicture(offer: { readonly method: string; readonly qr?: string }): Promise<Answer> {
  if (offer.qr === undefined) throw new AppError('not_acceptable');
  const content = await QRCode.toBuffer(offer.qr, { type: 'png', margin: 2, width: 512 });
  return { status: 200, bytes: { contentType: 'image/png', content } };
}

/** The error for a pairing that waits: it says why it waits, and when the next attempt to reach WhatsApp begins. */
function noOffer(connection: Connection, nowMs: number): AppError {
  const { pairing, wanted } = connection;
  const isAsked = pairing !== undefined && nowMs - pairing.requestedAtMs < PAIRING_REQUEST_LIMIT_MS;
  if (wanted !== 'online' || !isAsked) return new AppError('pairing_not_found', { retryAfterSeconds: 1 });
  const { sentence, nextAttemptAtMs } = publicStatusOf(connection);
  const waits = connection.status === 'reconnecting' || connection.status === 'failed';
  if (!waits) return new AppError('pairing_pending', { retryAfterSeconds: 1 });
  const isAhead = nextAttemptAtMs !== undefined && nextAttemptAtMs > nowMs;
  const next = isAhead ? ` The next attempt begins at ${new Date(nextAttemptAtMs).toISOString()}.` : '';
  return new AppError('pairing_pending', {
    detail: `The pairing offer is being prepared. ${sentence}${next}`,
    retryAfterSeconds: isAhead ? Math.ceil((nextAttemptAtMs - nowMs) / 1_000) : 1,
  });
}
