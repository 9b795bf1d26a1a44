import type { ObjectAddresses, OfferedObject } from './objectStore.ts';
import { toOfferedFile } from './offeredFile.ts';
import type { S3RequestSigner } from './s3RequestSigner.ts';

/** Addresses by which objects in a bucket of S3 are read. */
export class S3ObjectAddresses implements ObjectAddresses {
  readonly #signer: S3RequestSigner;

  constructor(signer: S3RequestSigner) {
    this.#signer = signer;
  }

  async addressOf(key: string, how: OfferedObject): Promise<string> {
    const { type, disposition } = toOfferedFile(how);
    const query = { 'response-content-type': type, 'response-content-disposition': disposition };
    return this.#signer.addressOf({ method: 'GET', key, query }, how.endsAfterSeconds);
  }
}
