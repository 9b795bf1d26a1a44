import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

/** What a signature is made with. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request to a JSON service: `POST /`, no query, the operation in `x-amz-target`. */
export interface SignedRequest {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly target: string;
  readonly body: string;
  /** The time of the signature, in milliseconds since 1970; AWS refuses one that is minutes off. */
  readonly atMs: number;
}

/** The key of a day, which all requests of that day to one service are signed with. */
interface DayKey {
  readonly of: string;
  /** The derived key as an object of Node, which signs five times as fast with it as with bytes. */
  readonly key: KeyObject;
}

/**
 * Signatures of AWS, version 4, for the one shape of request that DynamoDB and SQS are asked with. A test compares them
 * with the SDK's. The derived key is kept for the day, as all but one of the five steps are the same for each request.
 */
export class RequestSignature {
  #kept: DayKey | undefined;

  /** The headers of the signed request, without the ones that HTTP itself adds. */
  headersOf(request: SignedRequest, { accessKeyId, secretAccessKey, sessionToken }: Signer): Record<string, string> {
    const { host, region, service, target, body, atMs } = request;
    const time = new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const day = time.slice(0, 8);
    const scope = `${day}/${region}/${service}/aws4_request`;
    const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`;
    const signed = `host;x-amz-date;${sessionToken === undefined ? '' : 'x-amz-security-token;'}x-amz-target`;
    const canonical = `POST\n/\n\nhost:${host}\nx-amz-date:${time}\n${token}x-amz-target:${target}\n\n${signed}\n${hash('sha256', body)}`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical)}`;
    const signature = createHmac('sha256', this.#keyOf(secretAccessKey, day, region, service))
      .update(text)
      .digest('hex');
    return {
      host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': time,
      'x-amz-target': target,
      ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    };
  }

  #keyOf(secret: string, day: string, region: string, service: string): KeyObject {
    const of = `${secret} ${day} ${region} ${service}`;
    if (this.#kept?.of !== of) {
      const key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, day));
      this.#kept = { of, key: createSecretKey(key) };
    }
    return this.#kept.key;
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
