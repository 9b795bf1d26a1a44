import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { RequestSignature } from '../../../shared/platform/requestSignature.ts';

/** The hash that the SDK's signer is given. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error('not needed');
  }
}

const common = { region: 'eu-west-1', service: 'dynamodb', body: '{"TableName":"käse"}' } as const;
const host = 'dynamodb.eu-west-1.amazonaws.com';
const target = 'DynamoDB_20120810.GetItem';

describe('the signature of a request', () => {
  it.each([
    ['with a session token', { accessKeyId: 'AKIA', secretAccessKey: 'sëcret', sessionToken: 'to/ken+=' }],
    ['without one', { accessKeyId: 'AKIA', secretAccessKey: 'secret' }],
  ])('is the one that the SDK makes, %s, on one day and on the next', async (_name, signer) => {
    const ours = new RequestSignature();
    for (const atMs of [Date.UTC(2026, 0, 31, 23, 59, 59), Date.UTC(2026, 1, 1)]) {
      const theirs = await new SignatureV4({
        ...common,
        credentials: signer,
        sha256: Sha256,
        applyChecksum: false,
      }).sign(
        {
          method: 'POST',
          protocol: 'https:',
          hostname: host,
          path: '/',
          headers: { host, 'x-amz-target': target },
          body: common.body,
        },
        { signingDate: new Date(atMs) },
      );

      const headers = ours.headersOf({ ...common, host, target, atMs }, signer);

      expect(headers['authorization']).toBe(theirs.headers['authorization']);
      expect(headers['x-amz-date']).toBe(theirs.headers['x-amz-date']);
      expect(headers['x-amz-security-token']).toBe(theirs.headers['x-amz-security-token']);
    }
  });
});
