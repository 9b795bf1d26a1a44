import { z } from 'zod';

/** Settings of the key that wraps data keys. */
export const keySettings = {
  /** ARN of the KMS key that wraps data keys. Exactly one of this and the local key file must be given. */
  HOLDFAST_KMS_KEY_ARN: z.string().startsWith('arn:').optional(),
  /** Path of the file with the 32-byte root key, mode 0600; only the embedded stack has one. */
  HOLDFAST_KEY_FILE: z.string().min(1).optional(),
} as const;

export interface KeyConfig {
  readonly kmsKeyArn: string | undefined;
  readonly keyFile: string | undefined;
}
