import type { IncomingMessage, ServerResponse } from 'node:http';
import { WhatsAppClient } from '../../test/whatsapp/client.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { CoreTable } from '../../shared/connection/ownedItem.ts';
import { readToken } from '../../shared/connection/pairingLink.ts';
import { findPairingLink } from '../../shared/connection/pairingLinkStore.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { isFromElsewhere, pathOf } from './steadyServer.ts';

/**
 * The sandbox phones on the pairing page: one that scans the offer that is out, and a customer who writes to the account. Only
 * the embedded stack has this, with its simulator. Whoever asks has a link to the page, which its own route judges.
 */
export interface SandboxDeskOptions extends CoreTable {
  /** The address of the simulator's control API. */
  readonly controlUrl: string;
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly messages: Pick<MessageStore, 'list'>;
  readonly nowMs: () => number;
}

const PHONE = { number: '4915100000090', name: 'Sandbox' } as const;
const CUSTOMER = { number: '4915100000091', name: 'Ann 👩🏽‍🚀' } as const;
const PATHS: ReadonlySet<string> = new Set(['POST /sandbox/scan', 'POST /sandbox/messages', 'GET /sandbox/messages']);
const MOST_BYTES = 4_096;
const MOST_SHOWN = 20;
const JUDGED_WITHIN_MS = 10_000;

interface Said {
  readonly status: number;
  readonly json: object;
}
const refusal = (status: number, error: string): Said => ({ status, json: { error } });

/** Makes the function that answers the paths of the sandbox. That function returns whether the request was one of those. */
export function makeSandboxDesk(
  options: SandboxDeskOptions,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const name = `${request.method ?? ''} ${pathOf(request)}`;
    if (!PATHS.has(name)) return false;
    void answer(options, name, request)
      .catch(() => refusal(503, 'The sandbox phone did not answer. Try again.'))
      .then(({ status, json }) => {
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        response.end(JSON.stringify(json));
      });
    return true;
  };
}

async function answer(options: SandboxDeskOptions, name: string, request: IncomingMessage): Promise<Said> {
  const text = await readText(request);
  if (isFromElsewhere(request)) return refusal(403, 'Open the page as http://127.0.0.1.');
  if (text === undefined) return refusal(413, 'That is too long.');
  const connection = await findOpened(options, request);
  if (connection === undefined) return refusal(401, 'This link opens nothing.');
  const phones = new WhatsAppClient(options.controlUrl);
  if (name === 'POST /sandbox/scan') return scan(options, phones, connection);
  if (name === 'GET /sandbox/messages') return { status: 200, json: { data: await received(options, connection) } };
  const number = connection.account?.phoneJid.replace(/\D.*$/, '');
  if (number === undefined || text.trim() === '')
    return refusal(409, 'There is nobody to write to, or nothing to say.');
  await phones.addPhone(CUSTOMER.number, CUSTOMER.name);
  await phones.write(CUSTOMER.number, number, text);
  return { status: 202, json: {} };
}

/** The connection of the link by which a request comes; undefined where the route of the page refuses it. */
async function findOpened(options: SandboxDeskOptions, { headers }: IncomingMessage): Promise<Connection | undefined> {
  const { authorization = '', host = '' } = headers;
  const judged = await fetch(`http://${host}/v1/pairing-session`, {
    headers: { authorization },
    signal: AbortSignal.timeout(JUDGED_WITHIN_MS),
  });
  await judged.body?.cancel();
  const named = judged.ok ? readToken(authorization.replace(/^Pairing +/i, '')) : undefined;
  const link = named && (await findPairingLink(options, named.connectionId, named.linkId));
  return link && options.connections.find(link.tenantId, link.connectionId);
}

async function scan(options: SandboxDeskOptions, phones: WhatsAppClient, { connectionId }: Connection): Promise<Said> {
  const offer = await findPairingOffer(options, connectionId, options.nowMs());
  if (offer?.method !== 'qr' && offer?.method !== 'code')
    return refusal(409, 'There is no code to scan at the moment.');
  const number = offer.method === 'qr' ? PHONE.number : offer.phoneNumber;
  await phones.addPhone(number, PHONE.name);
  if (offer.method === 'qr') await phones.scan(number, offer.qr);
  else await phones.typeCode(number, offer.code);
  return { status: 202, json: {} };
}

/** The texts that reached the connection, the oldest first: the customer knows that they were sent, and not that they arrived. */
async function received({ messages, nowMs }: SandboxDeskOptions, { connectionId }: Connection) {
  const page = await messages.list(connectionId, { before: undefined, limit: MOST_SHOWN, nowMs: nowMs() });
  return page.messages
    .flatMap(({ messageId, direction, content }) =>
      direction === 'in' && content.type === 'text' ? [{ id: messageId, text: content.text.body }] : [],
    )
    .toReversed();
}

/** The body as text; undefined when it is too long. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
  }
  return bytes > MOST_BYTES ? undefined : Buffer.concat(chunks).toString();
}
