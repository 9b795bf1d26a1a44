import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putPairingOffer, type StoredOffer } from '../../../shared/connection/pairingOffer.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { PasskeyCredential } from '../../whatsapp/passkeyCredential.ts';
import { anAccount, ApiStack, type Answered } from '../api/apiStack.ts';

const CHALLENGE = 'Y2hhbGxlbmdl';
const credential = new PasskeyCredential();
const options = { challenge: CHALLENGE, rpId: 'whatsapp.com', userVerification: 'required' };
const expiresAtMs = Date.now() + 600_000;
const required = {
  method: 'passkey_required',
  options: JSON.stringify(options),
  challenge: CHALLENGE,
  expiresAtMs,
} as const;
const checking = { method: 'passkey_checking', expiresAtMs } as const;
const confirm = { method: 'passkey_confirm', code: 'ABCD1234', challenge: CHALLENGE, expiresAtMs } as const;

describe('the passkey of a pairing by a link', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let id: ConnectionId;
  let token = '';
  let linkId = '';
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
  });
  beforeEach(async () => {
    id = await stack.connection(tenant);
    const made = await stack.call('POST', `/v1/connections/${id}/pairing-links`, { key: tenant.key, body: {} });
    token = String(made.body['url']).split('#')[1] ?? '';
    linkId = String(made.body['id']);
    await call('POST', '', { method: 'qr' });
    await stack.takeCommands();
  });
  afterAll(() => stack.stop());

  const call = (method: string, rest: string, body?: unknown, by = token): Promise<Answered> =>
    stack.call(method, `/v1/pairing-session${rest}`, {
      headers: { authorization: `Pairing ${by}` },
      ...(body === undefined ? {} : { body }),
    });
  const answer = (body: unknown): Promise<Answered> => call('POST', '/passkey', body);
  const show = (offer: StoredOffer) => putPairingOffer(stack.dependencies, { connectionId: id, token: 1 }, offer);
  const passkey = async () => (await stack.dependencies.connections.find(tenant.tenantId, id))?.pairing?.passkey;

  it('shows each step, and what is to be signed or compared', async () => {
    const shown: unknown[] = [];
    for (const offer of [required, checking, confirm]) {
      await show(offer);
      shown.push((await call('GET', '')).body);
    }

    const expiresAt = new Date(expiresAtMs).toISOString();
    expect(shown).toMatchObject([
      { state: 'passkey', step: 'required', options, expiresAt },
      { state: 'passkey', step: 'checking', expiresAt },
      { state: 'passkey', step: 'confirm', code: 'ABCD-1234', expiresAt },
    ]);
  });

  it('takes the assertion and the comparison down for the worker, and tells it so', async () => {
    await show(required);
    const assertion = credential.sign(CHALLENGE);

    const signed = await answer({ assertion });
    const read = await call('GET', '');
    await show(confirm);
    const compared = await answer({ confirmedCode: 'ABCD-1234' });

    expect([signed.status, compared.status]).toEqual([202, 202]);
    // What was answered is not asked for again, though the worker has not heard of it.
    for (const { body } of [signed, read, compared]) expect(body).toMatchObject({ state: 'passkey', step: 'checking' });
    expect(await passkey()).toEqual({ challenge: CHALLENGE, assertion, confirmedCode: 'ABCD1234' });
    const told = (await stack.takeCommands()).map((command) => command.kind === 'control' && command.control);
    expect(told).toEqual(['refresh', 'refresh']);
  });

  it.each<readonly [what: string, offer: StoredOffer | undefined, body: () => unknown, code: string]>([
    ['nothing was asked for', undefined, () => ({ assertion: credential.sign(CHALLENGE) }), 'passkey_not_asked'],
    ['it is of another challenge', required, () => ({ assertion: credential.sign('b3RoZXI') }), 'invalid_request'],
    ['the code is another one', confirm, () => ({ confirmedCode: 'ABCD-1235' }), 'passkey_not_asked'],
    ['it is no assertion', required, () => ({ assertion: { id: 'x' } }), 'invalid_request'],
    [
      'it is both',
      required,
      () => ({ assertion: credential.sign(CHALLENGE), confirmedCode: 'ABCD-1234' }),
      'invalid_request',
    ],
  ])('refuses an answer where %s', async (_what, offer, body, code) => {
    if (offer !== undefined) await show(offer);

    const refused = await answer(body());

    expect(refused.body['code']).toBe(code);
    expect(await passkey()).toBeUndefined();
  });

  it('takes none by a link that is revoked or used, nor by what is no link', async () => {
    await show(required);
    const assertion = credential.sign(CHALLENGE);

    const forged = await call('POST', '/passkey', { assertion }, `${token.slice(0, -3)}aaa`);
    await stack.call('DELETE', `/v1/connections/${id}/pairing-links/${linkId}`, { key: tenant.key });
    const revoked = await answer({ assertion });

    expect([forged.body['code'], revoked.body['code']]).toEqual(['pairing_link_invalid', 'pairing_link_ended']);
    expect(await passkey()).toBeUndefined();
  });

  it('takes none for an account that is linked', async () => {
    await show(required);
    await stack.dependencies.connections.recordAccount(
      { tenantId: tenant.tenantId, connectionId: id, token: 1 },
      anAccount,
    );

    const late = await answer({ assertion: credential.sign(CHALLENGE) });

    expect([late.status, late.body['code']]).toEqual([409, 'connection_already_paired']);
  });
});
