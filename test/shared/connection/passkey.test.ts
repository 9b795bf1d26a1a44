import { describe, expect, it } from 'vitest';
import { assertionSchema, problemsOf, readPasskeyRequest } from '../../../shared/connection/passkey.ts';
import { PasskeyCredential } from '../../whatsapp/passkeyCredential.ts';

const CHALLENGE = 'Y2hhbGxlbmdl';
const credential = new PasskeyCredential();
const signed = (challenge = CHALLENGE) => assertionSchema.parse(credential.sign(challenge));
const options = (own: Record<string, unknown> = {}): string =>
  JSON.stringify({
    challenge: CHALLENGE,
    timeout: 60_000,
    rpId: 'whatsapp.com',
    allowCredentials: [{ id: credential.id, type: 'public-key' }],
    userVerification: 'required',
    extensions: {},
    ...own,
  });
const request = (own?: Record<string, unknown>) => readPasskeyRequest(options(own)) ?? expect.fail('no request');
const withData = (change: (data: Buffer) => void) => {
  const assertion = signed();
  const data = Buffer.from(assertion.response.authenticatorData, 'base64url');
  change(data);
  return { ...assertion, response: { ...assertion.response, authenticatorData: data.toString('base64url') } };
};

describe('a request for a passkey', () => {
  it('is read with more in it than is known', () => {
    expect(request()).toEqual({
      challenge: CHALLENGE,
      rpId: 'whatsapp.com',
      userVerification: 'required',
      allowed: [credential.id],
    });
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no challenge', JSON.stringify({ rpId: 'whatsapp.com' })],
    ['an empty challenge', options({ challenge: '' })],
    ['more than its bytes', options({ more: 'x'.repeat(4_096) })],
    ['an id that is no base64url', options({ allowCredentials: [{ id: 'a+b/' }] })],
  ])('is none with %s', (_name, text) => {
    expect(readPasskeyRequest(text)).toBeUndefined();
  });
});

describe('an assertion', () => {
  it('has no problem when it was made for the request', () => {
    expect(problemsOf(signed(), request())).toEqual({});
    expect(problemsOf(signed(), request({ allowCredentials: [] }))).toEqual({});
    expect(problemsOf(signed(), request({ rpId: undefined }))).toEqual({});
  });

  it.each([
    ['another challenge', signed('b3RoZXI'), 'assertion.response.clientDataJSON'],
    ['another credential', { ...signed(), id: 'b3RoZXI', rawId: 'b3RoZXI' }, 'assertion.id'],
    ['two ids', { ...signed(), rawId: 'b3RoZXI' }, 'assertion.rawId'],
    [
      'another relying party',
      withData((data) => void data.writeUInt8(data.readUInt8(0) ^ 1, 0)),
      'assertion.response.authenticatorData',
    ],
    [
      'a person who was not verified',
      withData((data) => void data.writeUInt8(1, 32)),
      'assertion.response.authenticatorData',
    ],
    [
      'client data of a registration',
      {
        ...signed(),
        response: {
          ...signed().response,
          clientDataJSON: Buffer.from(JSON.stringify({ type: 'webauthn.create', challenge: CHALLENGE })).toString(
            'base64url',
          ),
        },
      },
      'assertion.response.clientDataJSON',
    ],
  ])('has a problem with %s', (_name, assertion, field) => {
    expect(Object.keys(problemsOf(assertion, request()))).toEqual([field]);
  });

  it('is taken as browsers write it, without what WhatsApp does not take', () => {
    const assertion = credential.sign(CHALLENGE);

    const written = { ...assertion, authenticatorAttachment: 'platform', clientExtensionResults: {} };

    expect(assertionSchema.parse(written)).toEqual(assertion);
  });

  it.each([
    ['padding', { id: 'AAAA=' }],
    ['an id of a length that no bytes have', { id: 'AAAAA' }],
    ['an id that is too long', { id: 'A'.repeat(1_368) }],
    ['another type', { type: 'password' }],
  ])('is none with %s', (_name, own) => {
    expect(assertionSchema.safeParse({ ...credential.sign(CHALLENGE), ...own }).success).toBe(false);
  });
});
