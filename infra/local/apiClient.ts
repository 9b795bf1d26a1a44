import type { QuotaChoices } from '../../shared/platform/quotaRows.ts';

/** A small client of the API, for the demo and the end-to-end tests. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

const DEADLINE_MS = 15_000;

export class ApiClient {
  readonly #url: string;
  readonly key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.key = key;
  }

  /** The same client, for an API that is now at another URL. */
  at(url: string): ApiClient {
    return new ApiClient(url, this.key);
  }

  /** Calls a route and returns any answer, problems included. @param body a text is sent as it is, all else as JSON */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, headers: response.headers, json };
  }

  /** Calls a route that must succeed. Throws an Error with the problem's detail when it does not. */
  async must(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Record<string, unknown>> {
    const { status, json } = await this.call(method, path, body, headers);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${String(json['detail'])}`);
    return json;
  }
}

/**
 * Makes a tenant, and a client with an API key of that tenant.
 * @param quotas numbers of its own, where the usual ones are too small; they hold from its first request
 */
export async function makeTenant(
  apiUrl: string,
  operatorKey: string,
  name: string,
  quotas?: QuotaChoices,
): Promise<ApiClient> {
  const operator = new ApiClient(apiUrl, operatorKey);
  const tenant = await operator.must('POST', '/v1/admin/tenants', { name });
  if (quotas !== undefined) await operator.must('PATCH', `/v1/admin/tenants/${String(tenant['id'])}/quotas`, quotas);
  const key = await operator.must('POST', `/v1/admin/tenants/${String(tenant['id'])}/api-keys`, {});
  return new ApiClient(apiUrl, String(key['secret']));
}
