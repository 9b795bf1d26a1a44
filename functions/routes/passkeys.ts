import { z } from 'zod';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { CoreTable } from '../../shared/connection/ownedItem.ts';
import { findPairingOffer, type StoredOffer } from '../../shared/connection/pairingOffer.ts';
import {
  assertionSchema,
  problemsOf,
  readPasskeyRequest,
  type PasskeyAnswer,
} from '../../shared/connection/passkey.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import type { CorrelationId } from '../../shared/kernel/id.ts';
import { route, type Route } from '../http/route.ts';
import { requestControl } from '../runtime/requestControl.ts';
import { findConnection, type ConnectionRouteDependencies, type PairingDependencies } from './connections.ts';

/** An answer of a tenant, or of the person who has a link of his, to WhatsApp's request. */
export const passkeyAnswerSchema = z
  .strictObject({
    assertion: assertionSchema
      .optional()
      .meta({ description: 'What `navigator.credentials.get` gave, as its `toJSON()` writes it.' }),
    confirmedCode: z
      .string()
      .regex(/^[1-9A-HJ-NP-Za-hj-np-z]{4}-?[1-9A-HJ-NP-Za-hj-np-z]{4}$/, 'Write the eight characters of the code.')
      .optional()
      .meta({ description: 'The code of the offer, once a person has seen the same on the phone.' }),
  })
  .refine(
    ({ assertion, confirmedCode }) => (assertion === undefined) !== (confirmedCode === undefined),
    'Give `assertion`, or else `confirmedCode`.',
  )
  .meta({ id: 'PasskeyAnswer', example: { confirmedCode: 'ABCD-1234' } });
type Answer = z.infer<typeof passkeyAnswerSchema>;

/**
 * The answer to what is asked for now. Throws `invalid_request` for one that does not fit, and `passkey_not_asked` where nothing
 * waits for it.
 */
function judge(answer: Answer, offer: StoredOffer | undefined, { pairing }: Connection): PasskeyAnswer {
  if (answer.assertion !== undefined) {
    if (offer?.method !== 'passkey_required') throw new AppError('passkey_not_asked', { retryAfterSeconds: 1 });
    const request = readPasskeyRequest(offer.options);
    if (request === undefined) throw new AppError('passkey_not_asked', { retryAfterSeconds: 1 });
    const problems = Object.entries(problemsOf(answer.assertion, request));
    const fields = problems.map(([path, problem]) => ({ field: path, problem }));
    if (fields.length > 0) throw new AppError('invalid_request', { fields });
    return { challenge: request.challenge, assertion: answer.assertion };
  }
  const given = pairing?.passkey;
  if (offer?.method !== 'passkey_confirm' || given?.challenge !== offer.challenge) {
    throw new AppError('passkey_not_asked', { retryAfterSeconds: 1 });
  }
  const confirmedCode = answer.confirmedCode?.replace('-', '').toUpperCase();
  if (confirmedCode !== offer.code) {
    const problem = 'It is not the code of the offer. Where the phone shows another one, do not link: begin anew.';
    throw new AppError('invalid_request', { fields: [{ field: 'confirmedCode', problem }] });
  }
  return { ...given, confirmedCode };
}

/** What may refuse an answer. */
export const PASSKEY_PROBLEMS: readonly ErrorCode[] = ['connection_already_paired', 'passkey_not_asked'];

/**
 * Takes an answer down for the worker, and tells it so. The same assertion again is taken as said before. Throws `invalid_request`,
 * `passkey_not_asked` and `connection_already_paired`.
 */
export async function answerPasskey(
  dependencies: Omit<PairingDependencies, 'connections'> &
    CoreTable & {
      readonly connections: Pick<ConnectionStore, 'setPasskey'>;
    },
  connection: Connection,
  body: Answer,
  correlationId: CorrelationId,
): Promise<void> {
  const { connections, clock } = dependencies;
  if (connection.account !== undefined) throw new AppError('connection_already_paired');
  const { pairing } = connection;
  if (pairing === undefined) throw new AppError('passkey_not_asked', { retryAfterSeconds: 1 });
  const isSaidBefore =
    body.assertion !== undefined && pairing.passkey?.assertion.response.signature === body.assertion.response.signature;
  if (!isSaidBefore) {
    const offer = await findPairingOffer(dependencies, connection.connectionId, clock.nowMs());
    const answer = judge(body, offer, connection);
    const outcome = await connections.setPasskey(connection, pairing.requestId, answer);
    if (outcome === 'missing') throw new AppError('passkey_not_asked', { retryAfterSeconds: 1 });
  }
  await requestControl(dependencies, connection, 'refresh', correlationId, 'recorded');
}

/** The answers of a tenant to WhatsApp's request for a passkey. */
export function passkeyRoutes(dependencies: ConnectionRouteDependencies): readonly Route[] {
  const { connections } = dependencies;
  return [
    route('POST', '/v1/connections/{connectionId}/pairing/passkey', {
      summary: 'Answer the request for a passkey: the assertion, or later that the codes are the same',
      description:
        'An assertion is for one challenge, and is used once. The same one again is taken as said before; what becomes of it is told by the status, and by `GET …/pairing`.',
      body: passkeyAnswerSchema,
      problems: PASSKEY_PROBLEMS,
      answers: { status: 202 },
      handle: async ({ tenantId, parameters, body, correlationId }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        await answerPasskey(dependencies, connection, body, correlationId);
        return { status: 202 };
      },
    }),
  ];
}
