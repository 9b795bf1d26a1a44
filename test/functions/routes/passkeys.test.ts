import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putPairingOffer, type StoredOffer } from '../../../shared/connection/pairingOffer.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { PasskeyCredential } from '../../whatsapp/passkeyCredential.ts';
import { ApiStack } from '../api/apiStack.ts';
import { failingQueue } from '../queueStack.ts';

const CHALLENGE = 'Y2hhbGxlbmdl';
const CODE = 'ABCD1234';
const credential = new PasskeyCredential();
const options = {
  challenge: CHALLENGE,
  rpId: 'whatsapp.com',
  allowCredentials: [{ id: credential.id, type: 'public-key', transports: ['hybrid'] }],
  userVerification: 'required',
};

describe('the passkey of a pairing through the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let id: ConnectionId;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
  });
  beforeEach(async () => {
    id = await stack.connection(tenant);
    await call('POST', '/pairing', { method: 'qr' });
    await stack.takeCommands();
  });
  afterAll(() => stack.stop());
  const call = (method: string, rest: string, body?: unknown) =>
    stack.call(method, `/v1/connections/${id}${rest}`, { key: tenant.key, ...(body === undefined ? {} : { body }) });
  const answer = (body: unknown) => call('POST', '/pairing/passkey', body);
  const show = (offer: StoredOffer) => putPairingOffer(stack.dependencies, { connectionId: id, token: 1 }, offer);
  const expiresAtMs = Date.now() + 600_000;
  const required = {
    method: 'passkey_required',
    options: JSON.stringify(options),
    challenge: CHALLENGE,
    expiresAtMs,
  } as const;
  const confirm = { method: 'passkey_confirm', code: CODE, challenge: CHALLENGE, expiresAtMs } as const;
  const pairing = async () => (await stack.dependencies.connections.find(tenant.tenantId, id))?.pairing;
  const controls = async () =>
    (await stack.takeCommands()).map((command) => command.kind === 'control' && command.control);

  it('shows the request as an object, the wait, and the code in two halves', async () => {
    const shown: unknown[] = [];
    for (const offer of [required, { method: 'passkey_checking', expiresAtMs }, confirm] as const) {
      await show(offer);
      shown.push((await call('GET', '/pairing')).body);
    }

    const expiresAt = new Date(expiresAtMs).toISOString();
    expect(shown).toEqual([
      { method: 'passkey_required', options, expiresAt },
      { method: 'passkey_checking', expiresAt },
      { method: 'passkey_confirm', code: 'ABCD-1234', expiresAt },
    ]);
  });

  it('records the assertion for its challenge, tells the owner, and takes the same one again', async () => {
    await show(required);
    const assertion = credential.sign(CHALLENGE);

    const answers = [await answer({ assertion }), await answer({ assertion })];

    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(await pairing()).toMatchObject({ method: 'qr', passkey: { challenge: CHALLENGE, assertion } });
    expect(await controls()).toEqual(['refresh', 'refresh']);
  });

  it('records it although the owner cannot be told', async () => {
    await show(required);
    const untold = stack.with({ queue: failingQueue(stack.dependencies.queue, Infinity) });

    const taken = await untold.call('POST', `/v1/connections/${id}/pairing/passkey`, {
      key: tenant.key,
      body: { assertion: credential.sign(CHALLENGE) },
    });

    expect(taken.status).toBe(202);
    expect((await pairing())?.passkey?.challenge).toBe(CHALLENGE);
  });

  it('takes one assertion for a challenge, and another one for the next', async () => {
    await show(required);
    const first = await answer({ assertion: credential.sign(CHALLENGE) });
    const second = await answer({ assertion: credential.sign(CHALLENGE) });
    const next = { ...options, challenge: 'b3RoZXI' };
    await show({ ...required, options: JSON.stringify(next), challenge: next.challenge });
    const third = await answer({ assertion: credential.sign(next.challenge) });

    expect([first.status, second.status, second.body['code'], third.status]).toEqual([
      202,
      409,
      'passkey_not_asked',
      202,
    ]);
    expect((await pairing())?.passkey?.challenge).toBe(next.challenge);
  });

  it('records that the codes are the same, with the assertion that was given', async () => {
    await show(required);
    const assertion = credential.sign(CHALLENGE);
    await answer({ assertion });
    await show(confirm);

    const wrong = await answer({ confirmedCode: 'ABCD-1235' });
    const right = await answer({ confirmedCode: 'abcd-1234' });

    expect([wrong.status, wrong.body['code']]).toEqual([400, 'invalid_request']);
    expect(right.status).toBe(202);
    expect((await pairing())?.passkey).toEqual({ challenge: CHALLENGE, assertion, confirmedCode: CODE });
  });

  it.each<[string, StoredOffer | undefined, () => unknown]>([
    [
      'an assertion while a QR is shown',
      { method: 'qr', qr: 'a,b', expiresAtMs },
      () => ({ assertion: credential.sign(CHALLENGE) }),
    ],
    ['an assertion while nothing is shown', undefined, () => ({ assertion: credential.sign(CHALLENGE) })],
    [
      'an assertion while the phone looks',
      { method: 'passkey_checking', expiresAtMs },
      () => ({ assertion: credential.sign(CHALLENGE) }),
    ],
    ['a comparison without an assertion', confirm, () => ({ confirmedCode: CODE })],
    [
      'an assertion after the time for it',
      { ...required, expiresAtMs: Date.now() - 1 },
      () => ({ assertion: credential.sign(CHALLENGE) }),
    ],
  ])('does not ask for %s', async (_name, offer, body) => {
    if (offer !== undefined) await show(offer);

    const refused = await answer(body());

    expect([refused.status, refused.body['code']]).toEqual([409, 'passkey_not_asked']);
    expect((await pairing())?.passkey).toBeUndefined();
    expect(await controls()).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    ['for another challenge', () => ({ assertion: credential.sign('b3RoZXI') }), 'assertion.response.clientDataJSON'],
    ['of another credential', () => ({ assertion: new PasskeyCredential().sign(CHALLENGE) }), 'assertion.id'],
  ])('refuses an assertion %s, and names the field', async (_name, body, field) => {
    await show(required);

    const refused = await answer(body());

    expect(refused.status).toBe(400);
    expect(refused.body['fields']).toMatchObject([{ field }]);
    expect((await pairing())?.passkey).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [{}, '(body)'],
    [{ assertion: credential.sign(CHALLENGE), confirmedCode: CODE }, '(body)'],
    [{ confirmedCode: 'ABCD-0000' }, 'confirmedCode'],
    [{ assertion: { ...credential.sign(CHALLENGE), id: 'A=' } }, 'assertion.id'],
  ])('names the field of an answer that is none: case %#', async (body, field) => {
    await show(required);

    const refused = await answer(body);

    expect(refused.status).toBe(400);
    expect(refused.body['fields']).toMatchObject([{ field }]);
  });

  it('drops an answer with the pairing that it belongs to', async () => {
    await show(required);
    await answer({ assertion: credential.sign(CHALLENGE) });

    await call('POST', '/pairing', { method: 'qr' });

    expect((await pairing())?.passkey).toBeUndefined();
  });
});
