import { z } from 'zod';
import { Secret } from '../../shared/kernel/secret.ts';

const TRY_MS = 5_000;

const answerSchema = z.object({ Parameter: z.object({ Value: z.string().min(1) }) });

/**
 * Reads an encrypted parameter of Systems Manager through the extension that AWS gives Lambda functions for it: a
 * server on loopback, which keeps for a while what it has read. So the secret stands in no template and no environment.
 * Source: Systems Manager User Guide, "Using Parameter Store parameters in AWS Lambda functions". Rejects when the
 * extension does not answer, or not with a value; the error never holds the value.
 */
export async function readParameter(
  extensionUrl: string,
  token: Secret,
  name: string,
  { timeoutMs = TRY_MS }: { readonly timeoutMs?: number } = {},
): Promise<Secret> {
  const url = new URL('/systemsmanager/parameters/get', extensionUrl);
  url.search = new URLSearchParams({ name, withDecryption: 'true' }).toString();
  const answer = await fetch(url, {
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'x-aws-parameters-secrets-token': token.reveal() },
  });
  if (!answer.ok) throw new Error(`parameter ${name} could not be read: ${answer.status}`);
  const parsed = answerSchema.safeParse(await answer.json());
  if (!parsed.success) throw new Error(`parameter ${name} has no value`);
  return new Secret(parsed.data.Parameter.Value);
}
