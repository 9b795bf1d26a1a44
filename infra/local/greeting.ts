import { makeTenant } from './apiClient.ts';

const NAME = 'Sandbox';
const LINK_SECONDS = 86_400;

/** What a person can begin with at once. */
export interface Greeting {
  /** The pairing page of a connection without an account. */
  readonly pairingUrl: string;
  /** The API key of the tenant that the connection belongs to. */
  readonly tenantKey: string;
}

/**
 * Makes a tenant, a connection and a link to its pairing page, for a folder that is new. Throws where the API refuses or does not
 * answer; nothing of the stack depends on it.
 */
export async function makeGreeting(apiUrl: string, operatorKey: string): Promise<Greeting> {
  const api = await makeTenant(apiUrl, operatorKey, NAME);
  const { id } = await api.must('POST', '/v1/connections', { label: NAME });
  const link = await api.must('POST', `/v1/connections/${String(id)}/pairing-links`, { expiresIn: LINK_SECONDS });
  return { pairingUrl: String(link['url']), tenantKey: api.key };
}
