import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { waitUntilOnline } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { statusRules } from '../../shared/connection/status.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

const METHODS = ['qr', 'code'] as const;
const NUMBERS = { qr: '4915100000001', code: '4915100000002' } as const;
type Method = (typeof METHODS)[number];
/** How long a connection of a worker that died waits for its next owner, with room. */
const TAKEN_OVER_MS = 90_000;

describe('an account with a passkey, through the API and a worker', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-passkeys-'));
  let stack: RunningStack;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    for (const number of Object.values(NUMBERS)) await whatsApp.addPhone(number, 'Ann');
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const offerOf = async (path: string, method: string, timeoutMs?: number) =>
    (
      await until(
        `the offer ${method}`,
        () => api.call('GET', `${path}/pairing`),
        ({ json }) => json['method'] === method,
        timeoutMs,
      )
    ).json;
  const read = async (method: Method, path: string, timeoutMs?: number): Promise<void> => {
    const offer = await offerOf(path, method, timeoutMs);
    if (method === 'qr') await whatsApp.scan(NUMBERS.qr, String(offer['qr']));
    else await whatsApp.typeCode(NUMBERS.code, String(offer['code']));
  };
  /** Asks for a pairing and has the phone read its offer. Resolves with the path once the passkey is asked for. */
  const ask = async (method: Method): Promise<string> => {
    const path = `/v1/connections/${String((await api.must('POST', '/v1/connections', {}))['id'])}`;
    await api.must(
      'POST',
      `${path}/pairing`,
      method === 'qr' ? { method } : { method, phoneNumber: `+${NUMBERS.code}` },
    );
    await read(method, path);
    await offerOf(path, 'passkey_required');
    return path;
  };
  const sign = async (method: Method, path: string, origin?: string): Promise<void> => {
    const assertion = await whatsApp.signPasskey(NUMBERS[method], origin);
    await api.must('POST', `${path}/pairing/passkey`, { assertion });
  };
  const statusOf = async (path: string) => (await api.must('GET', path))['status'] as Record<string, unknown>;
  const codesOf = async (path: string): Promise<readonly unknown[]> => {
    const { data } = await api.must('GET', `${path}/history`);
    return (data as readonly Record<string, unknown>[]).map(({ code }) => code).toReversed();
  };
  const devices = async (method: Method): Promise<number> =>
    (await whatsApp.phones()).find(({ number }) => number === NUMBERS[method])?.devices.length ?? 0;
  const remove = async (path: string): Promise<void> => {
    await api.must('DELETE', path);
    await until(
      'the connection being gone',
      () => api.call('GET', path),
      ({ status }) => status === 404,
    );
  };

  it.each(METHODS)('is linked by %s with one signature', async (method) => {
    await whatsApp.demandPasskey(NUMBERS[method]);
    const path = await ask(method);

    await sign(method, path);
    await waitUntilOnline(api, path.split('/').at(-1) ?? '');

    const codes = await codesOf(path);
    expect(codes).toEqual(expect.arrayContaining(['offer_out', 'passkey_required', 'open']));
    expect(JSON.stringify(await api.must('GET', '/v1/events?limit=100'))).not.toContain('clientDataJSON');
    await api.must('POST', `${path}/logout`);
    await until(
      'no device',
      () => devices(method),
      (count) => count === 0,
    );
    await remove(path);
  });

  it.each(METHODS)(
    'is linked by %s after a person has compared the codes, where WhatsApp asks twice',
    async (method) => {
      await whatsApp.demandPasskey(NUMBERS[method], { again: true });
      const path = await ask(method);
      await sign(method, path);
      await until(
        'the second request',
        () => whatsApp.passkey(NUMBERS[method]),
        ({ state }) => state === 'asked',
      );
      await offerOf(path, 'passkey_required');
      await sign(method, path);

      const { code } = await offerOf(path, 'passkey_confirm');
      const shown = await whatsApp.passkey(NUMBERS[method]);
      await api.must('POST', `${path}/pairing/passkey`, { confirmedCode: code });
      await waitUntilOnline(api, path.split('/').at(-1) ?? '');

      expect(shown.code).toBe(String(code).replace('-', ''));
      await api.must('POST', `${path}/logout`);
      await until(
        'no device',
        () => devices(method),
        (count) => count === 0,
      );
      await remove(path);
    },
  );

  it.each(METHODS)('is refused by %s with a signature of another site, and says what to do', async (method) => {
    await whatsApp.demandPasskey(NUMBERS[method]);
    const path = await ask(method);

    await sign(method, path, 'https://example.com');
    const status = await until(
      'the end',
      () => statusOf(path),
      ({ status: now }) => now === 'unpaired',
    );

    expect(status).toMatchObject({ code: 'passkey_refused', ...statusRules.passkey_refused });
    expect((await api.call('GET', `${path}/pairing`)).json['code']).toBe('pairing_not_found');
    expect(await devices(method)).toBe(0);
    await remove(path);
  });

  /** Each step with one method: the stack starts a worker that was killed again and again ever later. */
  const steps = [
    ['qr', 'the signature', {}],
    ['code', 'the turn of the phone', { hold: 'continuation' }],
    ['qr', 'the success', { hold: 'success' }],
  ] as const;

  it.each(steps)(
    'links nobody by %s when the worker is killed before %s, and the next one offers anew',
    async (method, name, how) => {
      await whatsApp.demandPasskey(NUMBERS[method], how);
      const path = await ask(method);
      if (name !== 'the signature') {
        const reached = name === 'the success' ? 'sealed' : 'checking';
        await sign(method, path);
        await until(
          'the step',
          () => whatsApp.passkey(NUMBERS[method]),
          ({ state }) => state === reached,
        );
      }

      for (const { pid } of stack.workers()) if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await until(
        'the end of the socket',
        () => whatsApp.passkey(NUMBERS[method]),
        ({ state }) => state === 'gone',
      );
      const before = await devices(method);
      await whatsApp.demandPasskey(NUMBERS[method]);
      await read(method, path, TAKEN_OVER_MS);
      await offerOf(path, 'passkey_required');
      await sign(method, path);
      await waitUntilOnline(api, path.split('/').at(-1) ?? '');

      expect(before).toBe(0);
      expect(await devices(method)).toBe(1);
      await api.must('POST', `${path}/logout`);
      await until(
        'no device',
        () => devices(method),
        (count) => count === 0,
      );
      await remove(path);
    },
  );
});
