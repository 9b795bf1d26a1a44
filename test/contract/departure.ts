import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { passDeletionTime } from '../e2e/passDeletionTime.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';

/** What the deletion of a tenant needs of the run. */
export interface DepartureScene {
  readonly stack: RunningStack;
  readonly operator: ApiClient;
  readonly whatsApp: WhatsAppClient;
}

const LEAVER = '4915100000098';
const WAIT_MS = 180_000;

/** A tenant with something of each kind is suspended and deleted. @param table the tables, in the name of nobody who has a role */
export async function depart(scene: DepartureScene, table: DynamoDBDocumentClient, customer: string): Promise<void> {
  const { stack, operator } = scene;
  const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Leaver');
  await fill(api, scene, customer);
  const { id } = await api.must('GET', '/v1/tenant');
  const path = `/v1/admin/tenants/${String(id)}`;
  await operator.must('POST', `${path}/suspend`, { reason: 'It leaves us.' });
  await operator.must('DELETE', path, { confirm: 'Leaver' });
  await until(
    'the deletion of a tenant',
    async () => {
      await passDeletionTime(table, stack.stage);
      return (await operator.must('GET', path))['state'];
    },
    (state) => state === 'deleted',
    2 * WAIT_MS,
  );
}

async function fill(api: ApiClient, { stack, whatsApp }: DepartureScene, customer: string): Promise<void> {
  await whatsApp.addPhone(LEAVER, 'Leaver');
  await api.must('POST', '/v1/webhooks', { url: 'http://127.0.0.1:9/nobody' });
  await pairSandboxPhone(api, whatsApp, { number: LEAVER, method: 'qr' });
  await api.must('PATCH', '/v1/tenant', { fileDays: 30 });
  await whatsApp.files.send(customer, LEAVER, { kind: 'image', noise: { bytes: 4_000, seed: 98 } });
  const told = async () =>
    (await api.must('GET', '/v1/events?limit=100'))['data'] as readonly { readonly type: string }[];
  await until('its file', told, (events) => events.some(({ type }) => type === 'media.ready'), WAIT_MS);
  await api.must('POST', '/v1/media', { link: 'https://example.invalid/file' }).catch(() => undefined);
  const upload = await api.must('POST', '/v1/media', { mime_type: 'text/plain', bytes: 5 });
  const { url, headers = {} } = upload['upload'] as { readonly url: string; readonly headers?: Record<string, string> };
  await fetch(url, { method: 'PUT', body: 'bytes', headers, signal: AbortSignal.timeout(15_000) });
  await api.must('POST', `/v1/media/${String(upload['id'])}/complete`);
  const { id } = await api.must('POST', '/v1/exports', { media: true });
  await until(
    'its export',
    () => api.must('GET', `/v1/exports/${String(id)}`),
    ({ state }) => state === 'done',
    WAIT_MS,
  );
  const stream = new AbortController();
  const authorization = `Bearer ${api.key}`;
  await fetch(`${stack.apiUrl}/v1/events/stream`, { headers: { authorization }, signal: stream.signal });
  stream.abort();
}
