import { z } from 'zod';
import { Secret } from '../kernel/secret.ts';

/** The settings that the canary function reads from its environment. */
export const canarySchema = z.object({
  HOLDFAST_STAGE: z.string().min(1),
  HOLDFAST_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  HOLDFAST_API_URL: z.url({ protocol: /^https?$/ }),
  HOLDFAST_CANARY_CONNECTION_ID: z.string().startsWith('con_'),
  /** The name of the parameter that holds the API key of the canary's tenant. Required. */
  HOLDFAST_CANARY_KEY_PARAMETER: z.string().startsWith('/'),
  PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: z.coerce.number().int().min(1).max(65_535).default(2_773),
  /** The session token that Lambda sets; the extension answers nobody without it. */
  AWS_SESSION_TOKEN: z.string().min(1),
});

/** The configuration of the canary function: how it reaches the API and its key. */
export interface CanaryConfig {
  readonly stage: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** The URL of the API, without a slash at its end. */
  readonly apiUrl: string;
  readonly connectionId: string;
  readonly keyParameter: string;
  readonly extensionUrl: string;
  readonly sessionToken: Secret;
}

/** The settings by their names in the code. */
export function toCanary(value: z.infer<typeof canarySchema>): CanaryConfig {
  return {
    stage: value.HOLDFAST_STAGE,
    logLevel: value.HOLDFAST_LOG_LEVEL,
    apiUrl: value.HOLDFAST_API_URL.replace(/\/$/, ''),
    connectionId: value.HOLDFAST_CANARY_CONNECTION_ID,
    keyParameter: value.HOLDFAST_CANARY_KEY_PARAMETER,
    extensionUrl: `http://127.0.0.1:${value.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT}`,
    sessionToken: new Secret(value.AWS_SESSION_TOKEN),
  };
}
