import type { Brand, PairingLanguage } from '../../../shared/connection/pairingLink.ts';
import type { StatusCode } from '../../../shared/connection/status.ts';

/** The pairing as the API shows it to the page. */
export interface Session {
  readonly state: 'ready' | 'preparing' | 'offered' | 'passkey' | 'linked' | 'ended';
  readonly connectionId: string;
  readonly method?: 'qr' | 'code';
  readonly qr?: { readonly size: number; readonly path: string };
  readonly step?: 'required' | 'checking' | 'confirm';
  /** WebAuthn's request, as WhatsApp sends it. */
  readonly options?: object;
  readonly code?: string;
  readonly phoneNumber?: string;
  readonly expiresAt?: string;
  readonly reason?: StatusCode;
  readonly nextAttemptAt?: string;
  readonly account?: string;
  readonly isOnline?: boolean;
  readonly returnUrl?: string;
  readonly origin?: string;
  readonly language?: PairingLanguage;
  readonly brand?: Brand;
  readonly linkExpiresAt: string;
}

/** What a person asks for. */
export type Choice = { readonly method: 'qr' } | { readonly method: 'code'; readonly phoneNumber: string };

/** What became of a request to the API. `refused` has the code of a problem. */
export type Reply =
  | { readonly outcome: 'session'; readonly session: Session; readonly serverMs: number | undefined }
  | { readonly outcome: 'refused'; readonly code: string; readonly retryAfterSeconds: number | undefined }
  | { readonly outcome: 'unreachable' };

/** What a person answers to WhatsApp's request for a passkey. */
export type PasskeyAnswer = { readonly assertion: object } | { readonly confirmedCode: string };

const PATH = '/v1/pairing-session';
const PASSKEY_PATH = `${PATH}/passkey`;
const WITHIN_MS = 15_000;

/** Reads the session of a link, asks for an offer, or answers the request for a passkey. Never rejects. */
export async function callSession(token: string, said?: Choice | PasskeyAnswer): Promise<Reply> {
  try {
    const answer = await fetch(said === undefined || 'method' in said ? PATH : PASSKEY_PATH, {
      method: said === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Pairing ${token}`,
        ...(said === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(said === undefined ? {} : { body: JSON.stringify(said) }),
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const body: unknown = await answer.json();
    if (answer.ok && isSession(body)) {
      const serverMs = Date.parse(answer.headers.get('date') ?? '');
      return { outcome: 'session', session: body, serverMs: Number.isNaN(serverMs) ? undefined : serverMs };
    }
    if (answer.status >= 500) return { outcome: 'unreachable' };
    const after = Number(answer.headers.get('retry-after') ?? '');
    return { outcome: 'refused', code: codeOf(body), retryAfterSeconds: after > 0 ? after : undefined };
  } catch {
    return { outcome: 'unreachable' };
  }
}

/** The API is of the same origin and the same version: its answers are in form, or something else answers there. */
function isSession(body: unknown): body is Session {
  return typeof body === 'object' && body !== null && 'state' in body && 'connectionId' in body;
}

function codeOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string' ? body.code : '';
}
