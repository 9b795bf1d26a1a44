import type { WhatsAppClient } from '../../test/whatsapp/client.ts';
import type { ApiClient } from './apiClient.ts';
import { until } from './until.ts';

/** Links a sandbox phone to a new connection, as its owner would. Resolves with the connection's id once it is online. */
export async function pairSandboxPhone(
  api: ApiClient,
  whatsApp: WhatsAppClient,
  phone: { readonly number: string; readonly method: 'qr' | 'code' },
): Promise<string> {
  const { id } = await api.must('POST', '/v1/connections', { label: phone.number });
  const path = `/v1/connections/${String(id)}`;
  const request = phone.method === 'qr' ? { method: 'qr' } : { method: 'code', phoneNumber: `+${phone.number}` };
  await api.must('POST', `${path}/pairing`, request);
  const offer = await until(
    'a pairing offer',
    () => api.call('GET', `${path}/pairing`),
    ({ status }) => status === 200,
  );
  if (phone.method === 'qr') await whatsApp.scan(phone.number, String(offer.json['qr']));
  else await whatsApp.typeCode(phone.number, String(offer.json['code']));
  await waitUntilOnline(api, String(id));
  return String(id);
}

/** Waits until a connection is online. */
export async function waitUntilOnline(api: ApiClient, connectionId: string): Promise<void> {
  await until(
    'the connection being online',
    () => api.must('GET', `/v1/connections/${connectionId}`),
    ({ status }) => (status as { readonly status: string }).status === 'online',
    60_000,
  );
}
