import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from '../kernel/clock.ts';
import { withDeadline } from '../kernel/deadline.ts';
import type { ObjectConfig } from '../platform/objectConfig.ts';
import type { StoreConfig } from '../platform/storeConfig.ts';
import { checkObjectKey } from './objectStore.ts';
import { percentEncoded } from './offeredFile.ts';

/** What an address is signed with. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request for an object, of which everything that stands here is a part of the signature. */
export interface ObjectRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The header that names what is copied. */
const COPY_SOURCE = 'x-amz-copy-source';
/** The longest life of a signed address, in seconds. Source: Amazon S3, "Download and upload objects with presigned URLs". */
const LONGEST_SECONDS = 7 * 86_400;

/**
 * Signs addresses of requests to a bucket of S3. No call is made: whoever signs must be allowed what the address asks for
 * when it is used, and the address ends with the credentials, if that is sooner. It holds no client of S3, which the
 * function of tenants would otherwise load for this alone.
 */
export class S3RequestSigner {
  readonly #config: Pick<StoreConfig & ObjectConfig, 'region' | 'mediaBucket' | 's3Endpoint' | 'storeTimeoutMs'>;
  readonly #clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly #signer: SignatureV4;

  /** @param credentials those of the process, as a client of the SDK finds them (`client.config.credentials`) */
  constructor(
    config: Pick<StoreConfig & ObjectConfig, 'region' | 'mediaBucket' | 's3Endpoint' | 'storeTimeoutMs'>,
    credentials: () => Promise<Credentials>,
    clock: Pick<Clock, 'nowMs' | 'sleep'>,
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#signer = new SignatureV4({
      service: 's3',
      region: config.region,
      credentials: async () => {
        const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
        return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
      },
      sha256: Sha256,
      // A key has nothing in it that is escaped, and S3 signs paths as they are.
      uriEscapePath: false,
      applyChecksum: false,
    });
  }

  /** The address of a request. Throws a RangeError for a key that is none. */
  async addressOf({ method, key, query = {}, headers = {} }: ObjectRequest, endsAfterSeconds: number): Promise<string> {
    checkObjectKey(key);
    const { origin, prefix } = this.#place();
    const request = {
      method,
      protocol: origin.protocol,
      hostname: origin.hostname,
      path: `${prefix}/${key}`,
      headers: { host: origin.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
      query,
    };
    const expiresIn = Math.min(LONGEST_SECONDS, Math.max(1, Math.floor(endsAfterSeconds)));
    const signingDate = new Date(this.#clock.nowMs());
    const { query: signed = {} } = await withDeadline(
      'signing an address',
      this.#config.storeTimeoutMs,
      // S3 reads the name of what is copied in a header alone, and refuses one that is not signed.
      () => this.#signer.presign(request, { expiresIn, signingDate, unhoistableHeaders: new Set([COPY_SOURCE]) }),
      this.#clock,
    );
    const asked = Object.entries(signed).map(
      ([name, value]) => `${percentEncoded(name)}=${percentEncoded(String(value))}`,
    );
    return `${origin.origin}${request.path}?${asked.join('&')}`;
  }

  /** The name of an object as whoever copies it writes it. Throws a RangeError for a key that is none. */
  nameOf(key: string): string {
    checkObjectKey(key);
    return `/${this.#config.mediaBucket}/${key}`;
  }

  /** AWS has each bucket under a host of its own; another endpoint has it in the path. */
  #place(): { readonly origin: URL; readonly prefix: string } {
    const { region, mediaBucket, s3Endpoint } = this.#config;
    if (s3Endpoint !== undefined) return { origin: new URL(s3Endpoint), prefix: `/${mediaBucket}` };
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    return { origin: new URL(`https://${mediaBucket}.s3.${region}.${suffix}`), prefix: '' };
  }
}

/** The hash that the signer asks for. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as Uint8Array);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error('a hash of the signer is used once');
  }
}
