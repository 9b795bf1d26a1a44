import { createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * The passkey that WhatsApp asks of some accounts when a device is linked: the request, and the tenant's answer to it. The request
 * is WebAuthn's `PublicKeyCredentialRequestOptions` and the answer its assertion, both as JSON with bytes in unpadded base64url.
 */
const base64url = (mostBytes: number, leastBytes = 1) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/, 'Write it in base64url, without padding.')
    .refine((text) => text.length % 4 !== 1, 'Write it in base64url, without padding.')
    .refine((text) => {
      const bytes = Math.floor((text.length * 3) / 4);
      return bytes >= leastBytes && bytes <= mostBytes;
    }, `Its bytes must be ${leastBytes} to ${mostBytes}.`);

/** The longest id of a credential, as WebAuthn says. */
const MOST_ID_BYTES = 1_023;
/** What the hash of the relying party, the flags and the counter take of the authenticator's data. */
const LEAST_DATA_BYTES = 37;

/** An assertion as `PublicKeyCredential.toJSON()` writes it; fields that WhatsApp does not take are left out. */
export const assertionSchema = z
  .object({
    id: base64url(MOST_ID_BYTES),
    rawId: base64url(MOST_ID_BYTES),
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: base64url(4_096),
      authenticatorData: base64url(1_024, LEAST_DATA_BYTES),
      signature: base64url(1_024),
      userHandle: base64url(64).nullish(),
    }),
  })
  .meta({ id: 'PasskeyAssertion' });
export type PasskeyAssertion = z.infer<typeof assertionSchema>;

/** The answer to a request: the assertion, and the code once a person has compared it with the phone's. */
export interface PasskeyAnswer {
  /** The challenge of the request, in base64url: the answer is to this one alone. */
  readonly challenge: string;
  readonly assertion: PasskeyAssertion;
  readonly confirmedCode?: string | undefined;
}

/** The parts of a request by which its answer is judged; WhatsApp sends more. */
export interface PasskeyRequest {
  readonly challenge: string;
  readonly rpId: string | undefined;
  readonly userVerification: string | undefined;
  /** The credentials that may answer, in base64url; empty where any may. */
  readonly allowed: readonly string[];
}

/** The longest request, in bytes: WhatsApp's own client reads no longer one. */
export const MOST_OPTIONS_BYTES = 4_096;

const optionsSchema = z.object({
  challenge: base64url(1_024),
  rpId: z.string().min(1).max(253).optional(),
  userVerification: z.string().max(32).optional(),
  allowCredentials: z.array(z.object({ id: base64url(MOST_ID_BYTES) })).optional(),
});

/** Reads a request as WhatsApp sends it; undefined for what is none. */
export function readPasskeyRequest(text: string): PasskeyRequest | undefined {
  if (Buffer.byteLength(text) > MOST_OPTIONS_BYTES) return undefined;
  const { data } = optionsSchema.safeParse(readJson(text));
  if (data === undefined) return undefined;
  const { challenge, rpId, userVerification, allowCredentials = [] } = data;
  return { challenge, rpId, userVerification, allowed: allowCredentials.map(({ id }) => id) };
}

const clientDataSchema = z.object({ type: z.literal('webauthn.get'), challenge: z.string() });
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;

/**
 * What is wrong with an assertion, as far as anybody can see without the credential's public key: one sentence for each
 * field, by its path; empty when nothing is. The signature is WhatsApp's to judge.
 */
export function problemsOf(assertion: PasskeyAssertion, request: PasskeyRequest): Readonly<Record<string, string>> {
  const { id, rawId, response } = assertion;
  const clientData = clientDataSchema.safeParse(readJson(bytesOf(response.clientDataJSON).toString('utf8'))).data;
  const data = bytesOf(response.authenticatorData);
  const flags = data[32] ?? 0;
  const wanted = USER_PRESENT | (request.userVerification === 'required' ? USER_VERIFIED : 0);
  const isOfParty = request.rpId === undefined || data.subarray(0, 32).equals(sha256(request.rpId));
  const problems: Record<string, string> = {};
  if (id !== rawId) problems['assertion.rawId'] = 'It must name the same credential as `id`.';
  else if (request.allowed.length > 0 && !request.allowed.includes(id)) {
    problems['assertion.id'] = 'The request does not allow this credential.';
  }
  if (clientData === undefined) problems['assertion.response.clientDataJSON'] = 'It is not of `webauthn.get`.';
  else if (clientData.challenge !== request.challenge) {
    problems['assertion.response.clientDataJSON'] = 'It answers another challenge; read the offer again and sign that.';
  }
  if (!isOfParty) problems['assertion.response.authenticatorData'] = 'It is of another relying party.';
  else if ((flags & wanted) !== wanted) {
    problems['assertion.response.authenticatorData'] =
      'The person was not present, or not verified as the request asks.';
  }
  return problems;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
