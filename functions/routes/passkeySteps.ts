import { z } from 'zod';
import type { StoredPasskeyStep } from '../../shared/connection/pairingOffer.ts';

/** The steps of a passkey as an offer shows them, beside a QR text and a code. */
export const passkeyStepSchemas = [
  z.object({
    method: z.literal('passkey_required'),
    options: z.record(z.string(), z.unknown()).meta({
      description:
        "WebAuthn's request as JSON, for `PublicKeyCredential.parseRequestOptionsFromJSON`. Browsers sign it on https://web.whatsapp.com only.",
    }),
    expiresAt: z.iso.datetime(),
  }),
  z.object({ method: z.literal('passkey_checking'), expiresAt: z.iso.datetime() }),
  z.object({
    method: z.literal('passkey_confirm'),
    code: z.string().meta({ description: 'To be compared with the code on the phone.', example: 'ABCD-1234' }),
    expiresAt: z.iso.datetime(),
  }),
] as const;

/** A code in two halves, as phones show it. */
export function inHalves(code: string): string {
  return code.replace(/^(.{4})(.{4})$/, '$1-$2');
}

/** A step as the tenant sees it: the challenge stands in the request. */
export function toStepView(step: StoredPasskeyStep) {
  const expiresAt = new Date(step.expiresAtMs).toISOString();
  const { method } = step;
  if (method === 'passkey_required') {
    return { method, options: JSON.parse(step.options) as Record<string, unknown>, expiresAt };
  }
  return method === 'passkey_confirm' ? { method, code: inHalves(step.code), expiresAt } : { method, expiresAt };
}
