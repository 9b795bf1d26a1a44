import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, makeTenant } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone, waitUntilOnline } from '../../infra/local/pairing.ts';
import { until } from '../../infra/local/until.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000061';
const CUSTOMER = '4915100000062';
const NEIGHBOUR = '4915100000063';
const REASON = 'The invoice of July is not paid.';
/** The promise of the API, with what a busy machine adds. */
const HALF_A_MINUTE_MS = 60_000;

describe('a tenant that is suspended and resumed, through every process of the embedded stack', () => {
  let stage: PairedStack;
  let operator: ApiClient;
  let tenant = '';
  let neighbour: { readonly api: ApiClient; readonly connection: string };
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, CUSTOMER, NEIGHBOUR);
    operator = new ApiClient(stage.stack.apiUrl, stage.stack.operatorKey);
    tenant = `/v1/admin/tenants/${String((await stage.api.must('GET', '/v1/tenant'))['id'])}`;
    const api = await makeTenant(stage.stack.apiUrl, stage.stack.operatorKey, 'Neighbour');
    neighbour = { api, connection: await pairSandboxPhone(api, stage.phones, { number: NEIGHBOUR, method: 'qr' }) };
  });
  afterAll(() => stage.stop());

  const send = async (api: ApiClient, connection: string, text: string, times: object = {}): Promise<string> => {
    const body = { to: `+${CUSTOMER}`, type: 'text', text: { body: text }, ...times };
    return String((await api.must('POST', `/v1/connections/${connection}/messages`, body))['id']);
  };
  const arrived = async (): Promise<readonly unknown[]> =>
    (await stage.phones.messages(CUSTOMER)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  const told = (): readonly unknown[] =>
    stage.receiver.events.flatMap(({ type, data }) => (type === 'message.received' ? [JSON.stringify(data)] : []));
  const lastLogin = async () => (await stage.phones.stats()).spans[SHOP]?.at(-1);
  const devicesOf = async (number: string): Promise<number | undefined> =>
    (await stage.phones.phones()).find((phone) => phone.number === number)?.devices.length;

  it('closes its sockets without unlinking, opens nothing, loses nothing, and takes up all of it again', async () => {
    const { api, connection, phones } = stage;
    const devices = await devicesOf(SHOP);
    const due = new Date(Date.now() + 5_000).toISOString();
    await send(api, connection, 'at its time', { not_before: due });

    await operator.must('POST', `${tenant}/suspend`, { reason: REASON });

    const refused = await until(
      'a refusal',
      () => api.call('GET', '/v1/connections'),
      ({ status }) => status === 403,
      HALF_A_MINUTE_MS,
    );
    await until('the end of its socket', lastLogin, (span) => span?.closedAt !== undefined);
    expect(refused.json).toMatchObject({ code: 'tenant_suspended', detail: expect.stringContaining(REASON) });
    await phones.write(CUSTOMER, SHOP, 'are you there? 🧾');
    await send(neighbour.api, neighbour.connection, 'from the neighbour');
    await until('the message of the neighbour', arrived, (texts) => texts.includes('from the neighbour'));
    await until(
      'the time of the other one',
      () => Date.now(),
      (nowMs) => nowMs > Date.parse(due) + 3_000,
    );
    const during = [await arrived(), told(), await devicesOf(SHOP)] as const;

    await operator.must('POST', `${tenant}/resume`);
    await until(
      'an answer',
      () => api.call('GET', '/v1/connections'),
      ({ status }) => status === 200,
      HALF_A_MINUTE_MS,
    );
    await waitUntilOnline(api, connection);
    await until('what was due', arrived, (texts) => texts.includes('at its time'));
    await until('what was written meanwhile', told, (events) => events.length > 0, 2 * HALF_A_MINUTE_MS);

    expect(during[0]).not.toContain('at its time');
    expect(during[1]).toEqual([]);
    expect(during[2]).toBe(devices);
    expect(told().join('')).toContain('are you there?');
    expect((await arrived()).filter((text) => text === 'at its time')).toHaveLength(1);
    const { data } = await api.must('GET', '/v1/audit');
    expect((data as readonly { readonly action: string }[]).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['POST /v1/admin/tenants/{tenantId}/suspend', 'POST /v1/admin/tenants/{tenantId}/resume']),
    );
  });
});
