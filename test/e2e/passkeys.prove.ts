import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { waitUntilOnline } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { statusRules } from '../../shared/connection/status.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

const METHODS = ['qr', 'code'] as const;
type Method = (typeof METHODS)[number];
/** How long a connection of a worker that died waits for its next owner, with room. */
const TAKEN_OVER_MS = 90_000;

describe('an account with a passkey, through the API and a worker', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-passkeys-'));
  let stack: RunningStack;
  let whatsApp: WhatsAppClient;
  let api: ApiClient;
  /** The account of each test, which no other one has. */
  let number = '4915100000000';
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
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
  });
  beforeEach(async () => {
    number = String(Number(number) + 1);
    await whatsApp.addPhone(number, 'Ann');
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
    if (method === 'qr') await whatsApp.scan(number, String(offer['qr']));
    else await whatsApp.typeCode(number, String(offer['code']));
  };
  /** Asks for a pairing and has the phone read its offer. Resolves with the path once the passkey is asked for. */
  const ask = async (method: Method): Promise<string> => {
    const path = `/v1/connections/${String((await api.must('POST', '/v1/connections', {}))['id'])}`;
    await api.must('POST', `${path}/pairing`, method === 'qr' ? { method } : { method, phoneNumber: `+${number}` });
    await read(method, path);
    await offerOf(path, 'passkey_required');
    return path;
  };
  const sign = async (path: string, origin?: string): Promise<void> => {
    const assertion = await whatsApp.signPasskey(number, origin);
    await api.must('POST', `${path}/pairing/passkey`, { assertion });
  };
  const challengeOf = ({ options }: Record<string, unknown>) => (options as { readonly challenge: string }).challenge;
  const statusOf = async (path: string) => (await api.must('GET', path))['status'] as Record<string, unknown>;
  const codesOf = async (path: string): Promise<readonly unknown[]> => {
    const { data } = await api.must('GET', `${path}/history`);
    return (data as readonly Record<string, unknown>[]).map(({ code }) => code).toReversed();
  };
  const devices = async (): Promise<number> =>
    (await whatsApp.phones()).find((phone) => phone.number === number)?.devices.length ?? 0;

  it.each(METHODS)('is linked by %s with one signature', async (method) => {
    await whatsApp.demandPasskey(number);
    const path = await ask(method);

    await sign(path);
    await waitUntilOnline(api, path.split('/').at(-1) ?? '');

    // The line of history comes behind the record.
    const codes = await until(
      'the history',
      () => codesOf(path),
      (all) => all.includes('open'),
    );
    expect(codes).toEqual(expect.arrayContaining(['offer_out', 'passkey_required', 'open']));
    expect(JSON.stringify(await api.must('GET', '/v1/events?limit=100'))).not.toContain('clientDataJSON');
  });

  it.each(METHODS)(
    'is linked by %s after a person has compared the codes, where WhatsApp asks twice',
    async (method) => {
      await whatsApp.demandPasskey(number, { again: true });
      const path = await ask(method);
      const first = challengeOf(await offerOf(path, 'passkey_required'));
      await sign(path);
      await until(
        'the second request',
        () => api.call('GET', `${path}/pairing`),
        ({ json }) => json['method'] === 'passkey_required' && challengeOf(json) !== first,
      );
      await sign(path);

      const { code } = await offerOf(path, 'passkey_confirm');
      const shown = await whatsApp.passkey(number);
      await api.must('POST', `${path}/pairing/passkey`, { confirmedCode: code });
      await waitUntilOnline(api, path.split('/').at(-1) ?? '');

      expect(shown.code).toBe(String(code).replace('-', ''));
    },
  );

  it.each(METHODS)('is refused by %s with a signature of another site, and says what to do', async (method) => {
    await whatsApp.demandPasskey(number);
    const path = await ask(method);

    await sign(path, 'https://example.com');
    const status = await until(
      'the end',
      () => statusOf(path),
      ({ status: now }) => now === 'unpaired',
    );

    expect(status).toMatchObject({ code: 'passkey_refused', ...statusRules.passkey_refused });
    expect((await api.call('GET', `${path}/pairing`)).json['code']).toBe('pairing_not_found');
    expect(await devices()).toBe(0);
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
      await whatsApp.demandPasskey(number, how);
      const path = await ask(method);
      if (name !== 'the signature') {
        const reached = name === 'the success' ? 'sealed' : 'checking';
        await sign(path);
        await until(
          'the step',
          () => whatsApp.passkey(number),
          ({ state }) => state === reached,
        );
      }

      for (const { pid } of stack.workers()) if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await until(
        'the end of the socket',
        () => whatsApp.passkey(number),
        ({ state }) => state === 'gone',
      );
      const before = await devices();
      await whatsApp.demandPasskey(number);
      await read(method, path, TAKEN_OVER_MS);
      await offerOf(path, 'passkey_required');
      await sign(path);
      await waitUntilOnline(api, path.split('/').at(-1) ?? '');

      expect(before).toBe(0);
      expect(await devices()).toBe(1);
    },
  );
});
