import { createHash, createHmac, randomBytes } from 'node:crypto';
import { aesDecryptGCM, bytesToCrockford, Curve, hkdf, proto } from '@whiskeysockets/baileys';
import { z } from 'zod';
import type { ClientSocket } from './clientSocket.ts';
import type { LinkResult } from './linkResult.ts';
import { bytesOf, children, node, stamp, type BinaryNode } from './node.ts';
import { PasskeyCredential, RP_ID, type Assertion, type ExportedPasskey } from './passkeyCredential.ts';
import { WHATSAPP, type Account } from './world.ts';

/**
 * The other side of a linking by passkey, strictly: WhatsApp's server, which asks for it and judges the assertion, and the phone, which
 * checks the hand-off, the commitment and what is sealed for it. Its facts are those of `worker/socket/pairing/passkey`, from which it
 * shares no code; README.md says what nobody has verified.
 */
export const demandSchema = z.strictObject({
  /** Whether the notice has the request in it; otherwise the client has to ask for it. */
  embedded: z.boolean().default(true),
  /** What the server keeps back for good: the turn of the phone, or the success at the end. */
  hold: z.enum(['continuation', 'success']).optional(),
  /** Whether the server asks once more, with another challenge, when it has the first assertion. */
  again: z.boolean().default(false),
});
type Demand = z.infer<typeof demandSchema> & { readonly credential: PasskeyCredential };

type Answer = readonly BinaryNode[] | { readonly error: number };

/** One linking that waits for its passkey. */
interface Linking {
  readonly account: Account;
  readonly socket: ClientSocket;
  readonly demand: Demand;
  /** What the phone read out of the QR text, or agreed on by code. */
  readonly secret: Buffer;
  challenge: string;
  wasAskedAgain: boolean;
  ref: string | undefined;
  /** Whether an assertion was taken: there is no second one for a challenge. */
  isAnswered: boolean;
  identity: proto.CompanionEphemeralIdentity | undefined;
  /** The identity's bytes, and the commitment of the client to its nonce. */
  committed: { readonly encoded: Uint8Array; readonly hash: Buffer } | undefined;
  readonly phone: { readonly keys: ReturnType<typeof Curve.generateKeyPair>; readonly nonce: Buffer };
  nonce: Buffer | undefined;
  isHandedOff: boolean;
  state: 'asked' | 'checking' | 'revealed' | 'sealed' | 'linked' | 'refused' | 'gone';
}

/** What a phone shows of its linking. */
export interface ShownLinking {
  readonly state: Linking['state'];
  /** The code to compare with the client's, where the hand-off does not make that needless. */
  readonly code?: string;
}

/** Numbers with which the server refuses; which ones WhatsApp's has is not known. */
const BAD_REQUEST = { error: 400 } as const;
const NOT_AUTHORIZED = { error: 401 } as const;
const SECRET_BYTES = 32;

export class Passkeys {
  readonly #demands = new Map<string, Demand>();
  readonly #linkings = new Map<string, Linking>();
  readonly #confirm: (account: Account, socket: ClientSocket, secret: Buffer) => Promise<LinkResult>;

  /** @param confirm links the device, with the secret that the client chose */
  constructor(confirm: (account: Account, socket: ClientSocket, secret: Buffer) => Promise<LinkResult>) {
    this.#confirm = confirm;
  }

  /** The account has a passkey from now on, for which whoever links it is asked. */
  demand({ number }: Account, how: z.infer<typeof demandSchema>): void {
    const credential = this.#demands.get(number)?.credential ?? new PasskeyCredential();
    this.#demands.set(number, { ...how, credential });
  }

  /** Signs the challenge of the present linking, on WhatsApp's origin or another one. Undefined if none waits. */
  sign({ number }: Account, origin?: string): Assertion | undefined {
    const linking = this.#linkings.get(number);
    return linking?.demand.credential.sign(linking.challenge, origin);
  }

  /** The passkey of an account, for the authenticator of a browser. Undefined if it has none. */
  exported({ number }: Account): ExportedPasskey | undefined {
    return this.#demands.get(number)?.credential.export();
  }

  shown({ number }: Account): ShownLinking | undefined {
    const linking = this.#linkings.get(number);
    if (linking === undefined) return undefined;
    const { state, isHandedOff, nonce } = linking;
    return { state, ...(isHandedOff || nonce === undefined ? {} : { code: codeOf(linking, nonce) }) };
  }

  socketOf(number: string): ClientSocket | undefined {
    return this.#linkings.get(number)?.socket;
  }

  /** The client is gone: its linking is void. */
  forget(socket: ClientSocket): void {
    for (const linking of this.#linkings.values()) {
      if (linking.socket === socket && linking.state !== 'linked') linking.state = 'gone';
    }
  }

  /** Asks for the passkey of an account that was about to be linked. Returns whether it has one. */
  ask(account: Account, socket: ClientSocket, secret: Buffer): boolean {
    const demand = this.#demands.get(account.number);
    if (demand === undefined) return false;
    const linking: Linking = {
      account,
      socket,
      demand,
      secret,
      challenge: newChallenge(),
      wasAskedAgain: false,
      ref: undefined,
      isAnswered: false,
      identity: undefined,
      committed: undefined,
      phone: { keys: Curve.generateKeyPair(), nonce: randomBytes(SECRET_BYTES) },
      nonce: undefined,
      isHandedOff: false,
      state: 'asked',
    };
    this.#linkings.set(account.number, linking);
    socket.send(notice('passkey_prologue_request', demand.embedded ? [optionsOf(linking)] : undefined));
    return true;
  }

  /** Answers a query of namespace `md`; undefined for one that is none of the exchange. */
  answer(socket: ClientSocket, query: BinaryNode): Answer | undefined {
    const linking = [...this.#linkings.values()].find((one) => one.socket === socket);
    const [asked] = children(query);
    if (linking === undefined || asked === undefined) return undefined;
    const handle = handlers[`${query.attrs['type']} ${asked.tag}`];
    if (handle === undefined) return undefined;
    const answer = handle(linking, query, asked);
    if ('error' in answer) linking.state = 'refused';
    else if (asked.tag === 'encrypted_pairing_request') return this.#link(linking, query);
    else if (asked.tag === 'passkey_prologue') goOn(linking);
    return answer;
  }

  #link(linking: Linking, query: BinaryNode): Answer {
    const secret = openRequest(linking, bytesOf(query, 'encrypted_pairing_request'));
    if (secret === undefined) {
      linking.state = 'refused';
      return NOT_AUTHORIZED;
    }
    const { account, socket, demand } = linking;
    linking.state = 'sealed';
    if (demand.hold !== 'success') {
      queueMicrotask(() => {
        void this.#confirm(account, socket, secret).then((result) => {
          linking.state = 'refused' in result ? 'refused' : 'linked';
        });
      });
    }
    return [];
  }
}

/** The phone has its turn, unless the server asks once more or keeps it back. */
function goOn(linking: Linking): void {
  const { demand, phone, socket } = linking;
  if (demand.again && !linking.wasAskedAgain) {
    Object.assign(linking, { challenge: newChallenge(), wasAskedAgain: true, isAnswered: false, state: 'asked' });
    socket.send(notice('passkey_prologue_request', [optionsOf(linking)]));
  } else if (demand.hold !== 'continuation') {
    const content = proto.PrimaryEphemeralIdentity.encode({
      publicKey: phone.keys.public,
      nonce: phone.nonce,
    }).finish();
    socket.send(notice('crsc_continuation', [node('primary_ephemeral_identity', {}, content)]));
  }
}

type Handler = (linking: Linking, query: BinaryNode, asked: BinaryNode) => Answer;

const handlers: Readonly<Record<string, Handler>> = {
  'get passkey_request_options': (linking) => [optionsOf(linking)],
  'get ref': (linking) => {
    linking.ref = randomBytes(16).toString('base64url');
    return [node('ref', {}, Buffer.from(linking.ref))];
  },
  'set passkey_prologue': takePrologue,
  'set companion_nonce': (linking, query) => {
    const nonce = bytesOf(query, 'companion_nonce');
    const { committed } = linking;
    if (committed === undefined || nonce?.length !== SECRET_BYTES) return BAD_REQUEST;
    const hash = createHash('sha256').update(committed.encoded).update(nonce).digest();
    if (!hash.equals(committed.hash)) return NOT_AUTHORIZED;
    linking.nonce = nonce;
    linking.state = 'revealed';
    return [];
  },
  'set encrypted_pairing_request': () => [],
};

/** The server judges the assertion, and the phone the rest. */
function takePrologue(linking: Linking, _query: BinaryNode, asked: BinaryNode): Answer {
  const credentialId = bytesOf(asked, 'credential_id');
  const json = bytesOf(asked, 'webauthn_assertion');
  const payload = bytesOf(asked, 'prologue_payload');
  if (credentialId === undefined || json === undefined || payload === undefined) return BAD_REQUEST;
  const assertion = JSON.parse(json.toString()) as Assertion;
  const { credential } = linking.demand;
  const isSigned = credential.accepts(assertion, linking.challenge) && !linking.isAnswered;
  linking.isAnswered = true;
  if (!isSigned || credentialId.toString('base64url') !== assertion.rawId) return NOT_AUTHORIZED;

  const { companionEphemeralIdentity: encoded, commitment } = proto.ProloguePayload.decode(payload);
  const identity = proto.CompanionEphemeralIdentity.decode(encoded ?? Buffer.alloc(0));
  const hash = Buffer.from(commitment?.hash ?? []);
  const isWhole = identity.publicKey?.length === SECRET_BYTES && hash.length === SECRET_BYTES;
  if (!encoded || !isWhole || linking.ref === undefined || identity.ref !== linking.ref) return BAD_REQUEST;
  const proof = bytesOf(asked, 'pairing_handoff_proof');
  if (proof !== undefined) {
    const key = hkdf(linking.secret, SECRET_BYTES, { info: 'shortcake-passkey-handoff-v1' });
    if (!createHmac('sha256', key).update(payload).digest().equals(proof)) return NOT_AUTHORIZED;
  }
  linking.isHandedOff = proof !== undefined;
  linking.identity = identity;
  linking.committed = { encoded, hash };
  linking.state = 'checking';
  return [];
}

/** The phone opens what is sealed for it. Returns the secret of the new link; undefined if anything differs. */
function openRequest(linking: Linking, sealed: Buffer | undefined): Buffer | undefined {
  const { identity, phone, socket, nonce, secret } = linking;
  const { registration } = socket;
  if (sealed === undefined || !identity?.publicKey || registration === undefined || nonce === undefined)
    return undefined;
  const { encryptedPayload, iv } = proto.EncryptedPairingRequest.decode(sealed);
  const shared = Curve.sharedKey(phone.keys.private, identity.publicKey);
  const salt = Buffer.from(`Companion Pairing ${identity.deviceType ?? 0} with ref ${identity.ref ?? ''}`);
  const key = hkdf(Buffer.from(shared), SECRET_BYTES, { salt, info: 'Pairing Information Encryption Key' });
  try {
    const opened = aesDecryptGCM(encryptedPayload ?? Buffer.alloc(0), key, iv ?? Buffer.alloc(0), Buffer.alloc(0));
    const { companionPublicKey, companionIdentityKey, advSecret } = proto.PairingRequest.decode(opened);
    const isOurs =
      registration.noiseKey.equals(companionPublicKey ?? Buffer.alloc(0)) &&
      Buffer.from(registration.identity).equals(companionIdentityKey ?? Buffer.alloc(0));
    const chosen = Buffer.from(advSecret ?? []);
    return isOurs && chosen.length === SECRET_BYTES && !chosen.equals(secret) ? chosen : undefined;
  } catch {
    return undefined;
  }
}

function codeOf({ phone }: Linking, nonce: Buffer): string {
  const digest = createHash('sha256').update(nonce).update(phone.keys.public).digest();
  return bytesToCrockford(Buffer.from(phone.nonce.subarray(0, 5).map((byte, at) => byte ^ (digest[at] ?? 0))));
}

function optionsOf({ challenge, demand }: Linking): BinaryNode {
  const options = {
    challenge,
    timeout: 60_000,
    rpId: RP_ID,
    allowCredentials: [{ id: demand.credential.id, type: 'public-key', transports: ['internal', 'hybrid'] }],
    userVerification: 'required',
  };
  return node('passkey_request_options', {}, Buffer.from(JSON.stringify(options)));
}

function newChallenge(): string {
  return randomBytes(32).toString('base64url');
}

function notice(type: string, content?: BinaryNode[]): BinaryNode {
  return node('notification', { from: WHATSAPP, type, id: randomBytes(8).toString('hex'), t: stamp() }, content);
}
