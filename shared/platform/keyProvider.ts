import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';

/** The owner of a data key. Another context cannot unwrap it. */
export type KeyContext = Readonly<Record<'tenantId' | 'connectionId', string>>;

export interface DataKey {
  /** The key itself: 32 bytes, for AES-256-GCM. It is kept in memory only. */
  readonly plaintext: Uint8Array;
  /** The same key, wrapped, as it is stored. */
  readonly wrapped: Uint8Array;
}

/** Wraps and unwraps data keys; the root key never leaves it. */
export interface KeyProvider {
  readonly generateDataKey: (context: KeyContext) => Promise<DataKey>;
  /** Unwraps a key. Throws when it does not belong to the context or was changed. */
  readonly unwrapDataKey: (wrapped: Uint8Array, context: KeyContext) => Promise<Uint8Array>;
}

/**
 * A key provider with its root key in AWS KMS; the context is KMS's encryption context, so that it stands in the audit
 * trail.
 */
export function makeKmsKeyProvider(client: KMSClient, keyArn: string): KeyProvider {
  return {
    generateDataKey: async (context) => {
      const answer = await client.send(
        new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: context }),
      );
      if (answer.Plaintext === undefined || answer.CiphertextBlob === undefined)
        throw new Error('KMS gave no data key');
      return { plaintext: answer.Plaintext, wrapped: answer.CiphertextBlob };
    },
    unwrapDataKey: async (wrapped, context) => {
      const answer = await client.send(
        new DecryptCommand({ KeyId: keyArn, CiphertextBlob: wrapped, EncryptionContext: context }),
      );
      if (answer.Plaintext === undefined) throw new Error('KMS gave no plaintext');
      return answer.Plaintext;
    },
  };
}

const ROOT_KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A key provider with its root key in a local file, for the embedded stack. Each context has a wrapping key of its own
 * (HKDF-SHA-256 of the root key); data keys are wrapped with AES-256-GCM and the context as additional data. Throws
 * when the file is missing, is not 32 bytes, or can be read by others.
 */
export function makeLocalKeyProvider(keyFile: string): KeyProvider {
  if (process.platform !== 'win32' && (statSync(keyFile).mode & 0o077) !== 0) {
    throw new Error('The key file can be read by others. Run chmod 600 on it.');
  }
  const rootKey = readFileSync(keyFile);
  if (rootKey.length !== ROOT_KEY_BYTES) throw new Error('The key file must hold exactly 32 bytes.');
  return {
    generateDataKey: async (context) => {
      const plaintext = randomBytes(ROOT_KEY_BYTES);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', wrappingKey(rootKey, context), iv).setAAD(toBytes(context));
      const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return { plaintext, wrapped: Buffer.concat([iv, cipher.getAuthTag(), body]) };
    },
    unwrapDataKey: async (wrapped, context) => {
      const bytes = Buffer.from(wrapped);
      const decipher = createDecipheriv('aes-256-gcm', wrappingKey(rootKey, context), bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(toBytes(context))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    },
  };
}

function toBytes(context: KeyContext): Buffer {
  return Buffer.from(JSON.stringify([context.tenantId, context.connectionId]));
}

function wrappingKey(rootKey: Buffer, context: KeyContext): Buffer {
  return Buffer.from(hkdfSync('sha256', rootKey, Buffer.alloc(0), toBytes(context), 32));
}
