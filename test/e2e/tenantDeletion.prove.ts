import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, makeTenant } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { until } from '../../infra/local/until.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { scanItems, type Item } from '../../shared/platform/pages.ts';
import { tableName, type TableDefinition } from '../../shared/platform/tables.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { startWideStack, type PairedStack } from './pairedStack.ts';
import { passDeletionTime } from './passDeletionTime.ts';

/** The connections of the tenant that is deleted, each of which has a phone of its own. */
const CONNECTIONS = 50;
const phoneOf = (place: number): string => `49151002${String(place).padStart(5, '0')}`;
const SHOPS = Array.from({ length: CONNECTIONS }, (_, place) => phoneOf(place));
const CUSTOMER = '4915100300001';
const NEIGHBOUR = '4915100300002';
const WAIT_MS = 300_000;
/** Words that nobody else writes. */
const SECRET = 'quince and saffron';

describe('a tenant that is deleted while its connections are under traffic, on the embedded stack', () => {
  let stage: PairedStack;
  let operator: ApiClient;
  let neighbour: { readonly api: ApiClient; readonly connection: string };
  let connections: readonly string[] = [];
  let tenantId = '';
  let mediaId = '';
  const sent = { byNeighbour: 0, toNeighbour: 0 };
  const traffic = new AbortController();
  let flows: readonly Promise<void>[] = [];

  beforeAll(async () => {
    const [first = phoneOf(0), ...others] = SHOPS;
    stage = await startWideStack(3, first, ...others, CUSTOMER, NEIGHBOUR);
    const { stack, phones, api } = stage;
    operator = new ApiClient(stack.apiUrl, stack.operatorKey);
    tenantId = String((await api.must('GET', '/v1/tenant'))['id']);
    const more: string[] = [];
    for (const number of others) more.push(await pairSandboxPhone(api, phones, { number, method: 'qr' }));
    connections = [stage.connection, ...more];
    const other = await makeTenant(stack.apiUrl, stack.operatorKey, 'Neighbour');
    neighbour = { api: other, connection: await pairSandboxPhone(other, phones, { number: NEIGHBOUR, method: 'qr' }) };
  });
  afterAll(async () => {
    traffic.abort();
    await stage.stop();
  });

  const tenant = (): string => `/v1/admin/tenants/${tenantId}`;
  const rowsOf = async (table: TableDefinition['name']): Promise<readonly Item[]> => {
    const client = makeDocumentClient(aStoreConfig({ dynamoDb: { endpoint: stage.stack.dynamoDbEndpoint } }));
    const rows = await Array.fromAsync(scanItems(client, { TableName: tableName(stage.stack.stage, table) }));
    client.destroy();
    return rows;
  };
  const rowsWith = async (table: TableDefinition['name'], names: readonly string[]): Promise<readonly string[]> =>
    (await rowsOf(table))
      .filter((row) => names.some((name) => textOf(row).includes(name)))
      .map(({ pk, sk }) => `${String(pk)} ${String(sk)}`);
  const passTime = async (): Promise<void> => {
    const client = makeDocumentClient(aStoreConfig({ dynamoDb: { endpoint: stage.stack.dynamoDbEndpoint } }));
    await passDeletionTime(client, stage.stack.stage);
    client.destroy();
  };
  const openSockets = async (): Promise<number> => {
    const { spans } = await stage.phones.stats();
    return SHOPS.filter((number) => spans[number]?.at(-1)?.closedAt === undefined).length;
  };
  const send = async (api: ApiClient, connection: string, text: string): Promise<void> => {
    const body = { to: `+${CUSTOMER}`, type: 'text', text: { body: text } };
    await api.call('POST', `/v1/connections/${connection}/messages`, body).catch(() => undefined);
  };
  const repeatedly = async (work: (turn: number) => Promise<void>): Promise<void> => {
    for (let turn = 0; !traffic.signal.aborted; turn += 1) {
      await work(turn);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };

  it('has messages both ways, files, an export, events and webhooks', async () => {
    const { api, phones, connection, receiver } = stage;
    await phones.write(CUSTOMER, SHOPS[0] ?? '', SECRET);
    await phones.files.send(CUSTOMER, SHOPS[0] ?? '', { kind: 'document', noise: { bytes: 30_000, seed: 5 } });
    await until('the file', () => receiver.events.find(({ type }) => type === 'media.ready'), Boolean, WAIT_MS);
    const upload = await api.must('POST', '/v1/media', { mime_type: 'text/plain', bytes: SECRET.length });
    mediaId = String(upload['id']);
    const { url, headers = {} } = upload['upload'] as { readonly url: string; readonly headers?: object };
    await fetch(url, { method: 'PUT', body: SECRET, headers: { ...headers } as Record<string, string> });
    await api.must('POST', `/v1/media/${mediaId}/complete`);
    const { id } = await api.must('POST', '/v1/exports', { media: true });
    await until(
      'the export',
      () => api.must('GET', `/v1/exports/${String(id)}`),
      ({ state }) => state === 'done',
      WAIT_MS,
    );
    const later = new Date(Date.now() + 86_400_000).toISOString();
    const scheduled = { to: `+${CUSTOMER}`, type: 'text', text: { body: SECRET }, not_before: later };
    await api.must('POST', `/v1/connections/${connection}/messages`, scheduled);

    expect(await rowsWith('core', [SECRET])).not.toEqual([]);
    expect(objectsWith(stage, tenantId).length).toBeGreaterThanOrEqual(4);
    flows = [
      repeatedly((turn) => send(api, connections[turn % connections.length] ?? connection, `${SECRET} ${turn}`)),
      repeatedly(async (turn) => {
        await phones.write(CUSTOMER, SHOPS[turn % SHOPS.length] ?? '', `${SECRET} ${turn}`).catch(() => '');
      }),
      repeatedly(async () => {
        sent.byNeighbour += 1;
        await send(neighbour.api, neighbour.connection, `from the neighbour ${sent.byNeighbour}.`);
      }),
      repeatedly(async () => {
        sent.toNeighbour += 1;
        await phones.write(CUSTOMER, NEIGHBOUR, `to the neighbour ${sent.toNeighbour}.`);
      }),
    ];
  });

  it('is deleted once it is suspended: its sockets are closed and its devices unlinked, and its receipt is there', async () => {
    expect(await operator.call('DELETE', tenant(), { confirm: 'Acme' })).toMatchObject({ status: 409 });
    await operator.must('POST', `${tenant()}/suspend`, { reason: 'It leaves us.' });
    expect(await operator.call('DELETE', tenant(), { confirm: 'Other' })).toMatchObject({ status: 400 });

    const asked = await operator.must('DELETE', tenant(), { confirm: 'Acme' });

    expect(asked['state']).toBe('deleting');
    const steps = new Set<unknown>();
    const shown = await until(
      'the receipt',
      async () => {
        await passTime();
        const one = await operator.must('GET', tenant());
        steps.add((one['deletion'] as Item | undefined)?.['step']);
        return one;
      },
      ({ state }) => state === 'deleted',
      WAIT_MS,
    );
    traffic.abort();
    await Promise.all(flows);
    expect(await openSockets()).toBe(0);
    const phones = (await stage.phones.phones()).filter(({ number }) => SHOPS.includes(number));
    expect(phones.map(({ devices }) => devices.length)).toEqual(SHOPS.map(() => 0));
    expect(steps).toContain('conversations');
    expect(shown['deletion']).toMatchObject({
      removed: {
        connections: CONNECTIONS,
        webhooks: 1,
        keys: 1,
        messages: expect.any(Number),
        files: expect.any(Number),
      },
      backupsUntil: expect.any(String),
    });
    const refused = await until(
      'the refusal of its key',
      () => stage.api.call('GET', '/v1/connections'),
      ({ status }) => status >= 401,
      60_000,
    );
    expect([401, 403]).toContain(refused.status);
  });

  it('has left nothing in tables, files and logs but what says that it was deleted', async () => {
    const names = [tenantId, ...connections];
    const left = async () => {
      const core = await rowsWith('core', [...names, SECRET, mediaId]);
      return core.filter((row) => !/^(?:AUDIT|UNQUEUED|LOOK|RETRY|TICKET)#|^DUE#\d/.test(row)).toSorted();
    };
    const staying = [`TENANT#${tenantId} EVENTS`, `TENANT#${tenantId} TENANT`, `TENANTS#ALL ${tenantId}`].toSorted();

    // Facts that were under way at the end are dropped.
    await until('what was under way', left, (rows) => rows.length <= staying.length, 60_000);

    expect(await left()).toEqual(staying);
    expect(await rowsWith('core', [SECRET])).toEqual([]);
    expect(await rowsWith('sessions', names)).toEqual([]);
    expect(objectsWith(stage, tenantId)).toEqual([]);
    expect(logsWith(stage, SECRET)).toEqual([]);
    const letters = await operator.must('GET', '/v1/admin/dead-letters');
    expect(letters['data'] ?? []).toEqual([]);
  });

  it('has disturbed nobody: each message of its neighbour is there once, both ways', async () => {
    const { api, connection } = neighbour;
    const numbersIn = (texts: readonly string[], word: string) =>
      texts.flatMap((text) => new RegExp(`${word} the neighbour (\\d+)\\.`).exec(text)?.[1] ?? []).map(Number);
    const upTo = (count: number) => Array.from({ length: count }, (_, place) => place + 1);
    const arrived = async () => {
      const messages = await stage.phones.messages(CUSTOMER);
      return numbersIn(
        messages.filter(({ fromMe }) => !fromMe).map(({ text }) => text),
        'from',
      );
    };
    const told = async () => {
      const texts: string[] = [];
      for (let after: string | undefined, hasMore = true; hasMore;) {
        const path = `/v1/events?limit=100${after === undefined ? '' : `&after=${after}`}`;
        const page = await api.must('GET', path);
        for (const { type, data } of page['data'] as readonly { readonly type: string; readonly data: Item }[]) {
          if (type === 'message.received') texts.push(JSON.stringify(data));
        }
        after = String(page['next']);
        hasMore = page['hasMore'] === true;
      }
      return numbersIn(texts, 'to');
    };

    await until('what it sent', arrived, (numbers) => numbers.length >= sent.byNeighbour, 120_000);
    await until('what it got', told, (numbers) => numbers.length >= sent.toNeighbour, 120_000);

    expect((await arrived()).toSorted((one, other) => one - other)).toEqual(upTo(sent.byNeighbour));
    expect((await told()).toSorted((one, other) => one - other)).toEqual(upTo(sent.toNeighbour));
    expect((await api.must('GET', `/v1/connections/${connection}`))['status']).toMatchObject({ status: 'online' });
  });
});

function textOf({ data, ...item }: Item): string {
  const packed = data instanceof Uint8Array ? inflateRawSync(data).toString() : JSON.stringify(data ?? '');
  return `${JSON.stringify(item)} ${packed}`;
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** The objects of a tenant, as the notes of the emulator name them. */
function objectsWith({ stack }: PairedStack, name: string): readonly string[] {
  return filesBelow(join(stack.logs, '..'))
    .filter((path) => path.includes('/notes/'))
    .flatMap((path) => (JSON.parse(readFileSync(path, 'utf8')) as { readonly key?: string }).key ?? [])
    .filter((key) => key.includes(name));
}

function logsWith({ stack }: PairedStack, text: string): readonly string[] {
  return filesBelow(stack.logs).filter((path) => readFileSync(path).includes(text));
}
