import type { AuthenticationCreds, BinaryNode } from '@whiskeysockets/baileys';
import { readPasskeyRequest, type PasskeyAnswer } from '../../../../shared/connection/passkey.ts';
import { TimeoutError } from '../../../../shared/kernel/deadline.ts';
import type { Release, Scope } from '../../../../shared/kernel/scope.ts';
import type { Surroundings } from '../../../../shared/platform/surroundings.ts';
import { answerTo, type Answering } from '../../port/answerTo.ts';
import type { PairingOffer } from '../../port/connectionSocket.ts';
import { PasskeyEndedError } from './passkeyEnded.ts';
import {
  codeOf,
  handoffKeyOf,
  handoffProofOf,
  IV_BYTES,
  makeCompanionIdentity,
  prologueOf,
  readPhoneIdentity,
  sealDeviceKeys,
  sealingKeyOf,
  SECRET_BYTES,
  type CompanionIdentity,
  type PhoneIdentity,
} from './passkeyKeys.ts';
import {
  isFromServer,
  optionsIn,
  PASSKEY_CONTINUATION,
  PASSKEY_REQUEST,
  phoneIdentityIn,
  refIn,
  toNonce,
  toOptionsQuery,
  toPrologue,
  toRefQuery,
  toSealedRequest,
} from './passkeyStanzas.ts';

/** How long a person may take to sign with the passkey. The number is ours: WhatsApp states none for it. */
const SIGN_WITHIN_MS = 10 * 60_000;
/** How long each further step may take: WhatsApp's web client waits as long. */
const STEP_WITHIN_MS = 2 * 60_000;
/** How long the key of the hand-off holds, as both clients have it. */
const HANDOFF_MS = 5 * 60_000;

interface Handoff {
  readonly key: Uint8Array;
  /** When it was made, on the monotonic clock. */
  readonly sinceMs: number;
}

type State =
  | { readonly name: 'none' }
  /** WhatsApp asks for a passkey, and the request for it is being read. */
  | { readonly name: 'asked'; readonly handoff: Handoff | undefined }
  /** The request is out. */
  | { readonly name: 'required'; readonly challenge: string; readonly handoff: Handoff | undefined }
  /** The assertion has come, and what goes with it is being made. */
  | { readonly name: 'signed' }
  /** The assertion is out, and the phone has its turn. */
  | {
      readonly name: 'checking';
      readonly challenge: string;
      readonly identity: CompanionIdentity;
      readonly isHandedOff: boolean;
    }
  /** The phone has shown its identity, and our nonce is on its way. */
  | { readonly name: 'revealing' }
  /** A person compares the code with the phone's. */
  | { readonly name: 'confirm'; readonly challenge: string; readonly code: string; readonly sealingKey: Uint8Array }
  /** The keys of the device are on their way to the phone; WhatsApp links it next. */
  | { readonly name: 'finishing' };
type StateOf<Name extends State['name']> = Extract<State, { readonly name: Name }>;

export interface PasskeyOptions extends Pick<Surroundings, 'random'> {
  readonly socket: Answering['socket'];
  readonly queryTimeoutMs: number;
  /** The credentials of the pairing, in memory; the secret in them is replaced once WhatsApp asks for a passkey. */
  readonly credentials: AuthenticationCreds;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly scope: Pick<Scope, 'timeout'>;
  readonly offer: (offer: PairingOffer) => void;
  readonly cut: (cause: unknown) => void;
}

/**
 * The passkey that WhatsApp asks for in some pairings: its request is shown, the assertion goes to WhatsApp, and the keys of the
 * device go to the phone, sealed; then the pairing succeeds as every other does. Each step is begun by a stanza or by the
 * tenant's answer; time only ends it. Nothing of it is stored, and an assertion is used once.
 */
export class PasskeyExchange {
  readonly #options: PasskeyOptions;
  #state: State = { name: 'none' };
  #deadline: Release | undefined;

  constructor(options: PasskeyOptions) {
    this.#options = options;
  }

  /** Whether WhatsApp has asked for a passkey: from then on no QR text and no code can link. */
  get isUnderWay(): boolean {
    return this.#state.name !== 'none';
  }

  /** Whether a notice is one of the exchange. */
  isMeant(stanza: BinaryNode): boolean {
    const { type } = stanza.attrs;
    return (type === PASSKEY_REQUEST || type === PASSKEY_CONTINUATION) && isFromServer(stanza);
  }

  /** Hears a notice that is meant for it. Never throws: a failure cuts the socket. */
  hear(stanza: BinaryNode): void {
    this.#run(stanza.attrs['type'] === PASSKEY_REQUEST ? this.#asked(stanza) : this.#continued(stanza));
  }

  /** Takes the tenant's answer. One that comes twice, or for another challenge, does nothing. Never throws. */
  answer({ challenge, assertion, confirmedCode }: PasskeyAnswer): void {
    const state = this.#state;
    if (state.name === 'required' && challenge === state.challenge) this.#run(this.#send(state, assertion));
    const isConfirmed = state.name === 'confirm' && challenge === state.challenge && confirmedCode === state.code;
    if (isConfirmed) this.#run(this.#finish(state.sealingKey));
  }

  /** Ends it: the account is linked. */
  end(): void {
    void this.#deadline?.();
  }

  async #asked(stanza: BinaryNode): Promise<void> {
    const { offer } = this.#options;
    const handoff = this.#handOff();
    const asked = this.#enter({ name: 'asked', handoff }, STEP_WITHIN_MS);
    const found = toRequest(optionsIn(stanza)) ?? toRequest(optionsIn(await this.#ask(toOptionsQuery())));
    if (this.#state !== asked) return;
    if (found === undefined) throw new PasskeyEndedError('passkey_unsupported');
    const { options, challenge } = found;
    this.#enter({ name: 'required', challenge, handoff }, SIGN_WITHIN_MS);
    offer({ method: 'passkey_required', options, challenge, expiresAtMs: this.#endOf(SIGN_WITHIN_MS) });
  }

  /** The hand-off of this linking: made, with a new secret, by the first request; one that was used is gone. */
  #handOff(): Handoff | undefined {
    const { credentials, random, monotonicMs } = this.#options;
    const state = this.#state;
    if (state.name !== 'none') return 'handoff' in state ? state.handoff : undefined;
    const key = handoffKeyOf(Buffer.from(credentials.advSecretKey, 'base64'));
    credentials.advSecretKey = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64');
    return { key, sinceMs: monotonicMs() };
  }

  async #send({ challenge, handoff }: StateOf<'required'>, assertion: PasskeyAnswer['assertion']): Promise<void> {
    const { offer, random, monotonicMs } = this.#options;
    const signed = this.#enter({ name: 'signed' }, STEP_WITHIN_MS);
    offer({ method: 'passkey_checking', expiresAtMs: this.#endOf(STEP_WITHIN_MS) });
    const ref = refIn(await this.#ask(toRefQuery()));
    if (this.#state !== signed) return;
    if (ref === undefined) throw new PasskeyEndedError('passkey_unsupported');
    const identity = makeCompanionIdentity(ref, random.bytes(SECRET_BYTES), random.bytes(SECRET_BYTES));
    const payload = prologueOf(identity);
    const isFresh = handoff !== undefined && monotonicMs() - handoff.sinceMs < HANDOFF_MS;
    const proof = isFresh ? handoffProofOf(handoff.key, payload) : undefined;
    // The phone may have its turn before WhatsApp has answered us.
    this.#enter({ name: 'checking', challenge, identity, isHandedOff: isFresh }, STEP_WITHIN_MS);
    await this.#ask(toPrologue({ assertion, payload, proof }));
  }

  async #continued(stanza: BinaryNode): Promise<void> {
    const state = this.#state;
    if (state.name !== 'checking') return;
    const { identity, challenge, isHandedOff } = state;
    const encoded = phoneIdentityIn(stanza);
    const phone = encoded === undefined ? undefined : readPhoneIdentity(encoded);
    const sealingKey = phone && agree(identity, phone);
    if (phone === undefined || sealingKey === undefined) throw new PasskeyEndedError('passkey_unsupported');
    const revealing = this.#enter({ name: 'revealing' }, STEP_WITHIN_MS);
    await this.#ask(toNonce(identity.nonce));
    if (this.#state !== revealing) return;
    if (isHandedOff) return this.#finish(sealingKey);
    const code = codeOf(identity, phone);
    this.#enter({ name: 'confirm', challenge, code, sealingKey }, STEP_WITHIN_MS);
    this.#options.offer({ method: 'passkey_confirm', code, challenge, expiresAtMs: this.#endOf(STEP_WITHIN_MS) });
  }

  async #finish(sealingKey: Uint8Array): Promise<void> {
    const { credentials, random, offer } = this.#options;
    this.#enter({ name: 'finishing' }, STEP_WITHIN_MS);
    offer({ method: 'passkey_checking', expiresAtMs: this.#endOf(STEP_WITHIN_MS) });
    const keys = {
      noiseKey: credentials.noiseKey.public,
      identityKey: credentials.signedIdentityKey.public,
      linkingSecret: Buffer.from(credentials.advSecretKey, 'base64'),
    };
    await this.#ask(toSealedRequest(sealDeviceKeys(keys, sealingKey, random.bytes(IV_BYTES))));
  }

  #enter(state: State, withinMs: number): State {
    void this.#deadline?.();
    this.#state = state;
    this.#deadline = this.#options.scope.timeout(withinMs, () => {
      this.#options.cut(new PasskeyEndedError('passkey_expired'));
    });
    return state;
  }

  #endOf(withinMs: number): number {
    return this.#options.nowMs() + withinMs;
  }

  #ask(stanza: BinaryNode): Promise<BinaryNode> {
    return answerTo(this.#options, stanza);
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.cut(toEnd(error)));
  }
}

function toRequest(options: string | undefined): { readonly options: string; readonly challenge: string } | undefined {
  const request = options === undefined ? undefined : readPasskeyRequest(options);
  return options === undefined || request === undefined ? undefined : { options, challenge: request.challenge };
}

/** The sealing key; undefined where the phone's public key is one that agrees on nothing. */
function agree(identity: CompanionIdentity, phone: PhoneIdentity): Uint8Array | undefined {
  try {
    return sealingKeyOf(identity, phone);
  } catch {
    return undefined;
  }
}

/** What ends the socket: a refusal has the number that Baileys puts into its error; silence is as if time were over. */
function toEnd(error: unknown): unknown {
  if (error instanceof TimeoutError) return new PasskeyEndedError('passkey_expired');
  const number = error instanceof Error && 'data' in error ? error.data : undefined;
  return typeof number === 'number' ? new PasskeyEndedError('passkey_refused', number) : error;
}
