import { createHash, generateKeyPairSync, randomBytes, sign, verify, type KeyObject } from 'node:crypto';

/**
 * A passkey of an account, as WebAuthn describes it (level 3): a P-256 key that signs the authenticator's data and the hash of
 * the client's data. That WhatsApp's passkeys are of `whatsapp.com` and are signed on web.whatsapp.com is what its web client shows.
 */
export const RP_ID = 'whatsapp.com';
export const ORIGIN = 'https://web.whatsapp.com';
/** The person was present, and was verified. */
const FLAGS = 0x05;

export interface Assertion {
  readonly id: string;
  readonly rawId: string;
  readonly type: string;
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userHandle: string | null;
  };
}

export interface ExportedPasskey {
  readonly credentialId: string;
  readonly privateKey: string;
  readonly userHandle: string;
  readonly rpId: string;
  readonly isResidentCredential: boolean;
  readonly signCount: number;
}

export class PasskeyCredential {
  readonly id = randomBytes(32).toString('base64url');
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #userHandle = randomBytes(16).toString('base64url');

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
  }

  /** Signs a challenge, as a browser and an authenticator do together. */
  sign(challenge: string, origin = ORIGIN): Assertion {
    const clientData = Buffer.from(JSON.stringify({ type: 'webauthn.get', challenge, origin, crossOrigin: false }));
    const data = Buffer.concat([sha256(RP_ID), Buffer.from([FLAGS]), Buffer.alloc(4)]);
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', Buffer.concat([data, sha256(clientData)]), this.#privateKey).toString('base64url'),
        userHandle: this.#userHandle,
      },
    };
  }

  /** The passkey with its key, as a browser's virtual authenticator takes it (CDP, `WebAuthn.Credential`): bytes in base64. */
  export(): ExportedPasskey {
    return {
      credentialId: Buffer.from(this.id, 'base64url').toString('base64'),
      privateKey: this.#privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      userHandle: Buffer.from(this.#userHandle, 'base64url').toString('base64'),
      rpId: RP_ID,
      isResidentCredential: true,
      signCount: 0,
    };
  }

  /** Whether an assertion is this credential's, for this challenge. */
  accepts(assertion: Assertion, challenge: string): boolean {
    const { clientDataJSON, authenticatorData, signature } = assertion.response;
    const clientData = Buffer.from(clientDataJSON, 'base64url');
    const data = Buffer.from(authenticatorData, 'base64url');
    const said = JSON.parse(clientData.toString()) as Record<string, unknown>;
    return (
      assertion.id === this.id &&
      said['type'] === 'webauthn.get' &&
      said['challenge'] === challenge &&
      said['origin'] === ORIGIN &&
      data.subarray(0, 32).equals(sha256(RP_ID)) &&
      ((data[32] ?? 0) & FLAGS) === FLAGS &&
      verify('sha256', Buffer.concat([data, sha256(clientData)]), this.#publicKey, Buffer.from(signature, 'base64url'))
    );
  }
}

function sha256(content: string | Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
