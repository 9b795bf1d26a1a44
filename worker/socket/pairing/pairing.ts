import {
  buildPairingQRData,
  configureSuccessfulPairing,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  getBinaryNodeChildren,
  type AuthenticationCreds,
  type BinaryNode,
  type makeWASocket,
  type WABrowserDescription,
} from '@whiskeysockets/baileys';
import type { PasskeyAnswer } from '../../../shared/connection/passkey.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { Scope } from '../../../shared/kernel/scope.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { PairingOffer, PairingRequest } from '../port/connectionSocket.ts';
import type { InboundOrder } from '../inbound/inboundOrder.ts';
import { PasskeyExchange } from './passkey/passkeyExchange.ts';
import { FIRST_QR_MS, NEXT_QR_MS, OffersSpentError, QrRefs } from './qrRefs.ts';

/** A pairing code lives as long as the registration's six refs. */
const PAIRING_CODE_MS = FIRST_QR_MS + 5 * NEXT_QR_MS;

const SECRET_BYTES = 32;
/** The fields that a phone which has accepted our code must send. Baileys throws when one of them is missing. */
const CODE_KEYS = [
  'link_code_pairing_ref',
  'primary_identity_pub',
  'link_code_pairing_wrapped_primary_ephemeral_pub',
] as const;

/** The server refused a step of the pairing: the socket closes with its number. */
class PairingRefusedError extends Error {
  override readonly name = 'PairingRefusedError';
  readonly output: { readonly statusCode: number };
  readonly data = { tag: 'link_code_companion_reg' } as const;

  constructor(code: number) {
    super(`the server refused the pairing with ${code}`);
    this.output = { statusCode: code };
  }
}

/** The parts of Baileys that a pairing needs. */
export type PairingSocket = Pick<
  ReturnType<typeof makeWASocket>,
  'ws' | 'query' | 'sendNode' | 'requestPairingCode' | 'updateServerTimeOffset' | 'sendUnifiedSession'
>;

export interface PairingOptions extends Pick<Surroundings, 'random'> {
  readonly request: PairingRequest;
  readonly socket: PairingSocket;
  readonly inbound: InboundOrder;
  /** The credentials, in memory until the pairing has succeeded; Baileys works with the same object. */
  readonly credentials: AuthenticationCreds;
  /** The browser that the registration names. */
  readonly browser: WABrowserDescription;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly scope: Pick<Scope, 'timeout'>;
  /** The deadline of the server's answer to a request for a code, in milliseconds. */
  readonly queryTimeoutMs: number;
  readonly offer: (offer: PairingOffer) => void;
  /** Makes the credentials of the linked account durable. Until it resolves WhatsApp is not told that we have them. */
  readonly store: (credentials: AuthenticationCreds) => Promise<void>;
  readonly paired: () => void;
  readonly cut: (cause: unknown) => void;
}

/**
 * Links an account, by QR or by code, and by a passkey where WhatsApp asks for one after that. It covers what Baileys
 * leaves out: since 28 July 2026 the server sends `companion_reg_refresh` while a QR text is shown
 * (WhiskeySockets/Baileys#2737), after which the secret in it is void; and a code is shown only when the server has
 * accepted the request for it. During a QR pairing Baileys acknowledges no notification at all, because it does not know
 * its own address yet.
 */
export class Pairing {
  readonly #options: PairingOptions;
  readonly #refs: QrRefs;
  readonly #passkey: PasskeyExchange;
  #isCodeAskedFor = false;
  /** The QR text on show; undefined when there is none. */
  #shown: Extract<PairingOffer, { method: 'qr' }> | undefined;

  constructor(options: PairingOptions) {
    this.#options = options;
    const { inbound, socket, scope, cut } = options;
    this.#refs = new QrRefs({
      scope,
      next: (ref, lifeMs) => this.#onRef(ref, lifeMs),
      spent: () => cut(new OffersSpentError()),
    });
    this.#passkey = new PasskeyExchange(options);
    inbound.insertBefore('CB:iq,type:set,pair-device', (stanza) => this.#onRegistered(stanza));
    inbound.insertBefore('CB:iq,,pair-success', (stanza) => this.#onPaired(stanza));
    // These have not been seen in such forms yet; a server that asks a question waits for its answer.
    socket.ws.on('CB:iq,,companion_reg_refresh', ({ attrs: { id = '', from = '' } }: BinaryNode) => {
      this.#tell({ tag: 'iq', attrs: { to: from, type: 'result', id } });
      this.#refresh();
    });
    socket.ws.on('CB:ib,,companion_reg_refresh', () => this.#refresh());
  }

  /** Takes the tenant's answer to the request for a passkey. */
  answerPasskey(answer: PasskeyAnswer): void {
    this.#passkey.answer(answer);
  }

  /** The server has given refs: a QR text can be shown, or a code be asked for. Baileys does not see them. */
  async #onRegistered(stanza: BinaryNode): Promise<'taken'> {
    const { id = '', from = '' } = stanza.attrs;
    this.#tell({ tag: 'iq', attrs: { to: from, type: 'result', id } });
    const refs = getBinaryNodeChildren(getBinaryNodeChild(stanza, 'pair-device'), 'ref');
    if (!this.#passkey.isUnderWay)
      this.#refs.begin(refs.map(({ content }) => Buffer.from(content as Uint8Array).toString()));
    return 'taken';
  }

  #onRef(ref: string, lifeMs: number): void {
    const { request, credentials, browser, nowMs, cut } = this.#options;
    if (request.method === 'qr') {
      const [noise, identity] = [credentials.noiseKey, credentials.signedIdentityKey].map(toBase64);
      const qr = buildPairingQRData(ref, noise ?? '', identity ?? '', credentials.advSecretKey, browser);
      this.#show({ method: 'qr', qr, expiresAtMs: nowMs() + lifeMs });
    } else if (!this.#isCodeAskedFor) {
      this.#isCodeAskedFor = true;
      this.#askForCode(request.phoneNumber, nowMs() + PAIRING_CODE_MS).catch(cut);
    }
  }

  /** Handles a notice of the server, before Baileys sees it. */
  async onNotification(stanza: BinaryNode): Promise<'taken' | undefined> {
    const { id = '', from = '', type = '' } = stanza.attrs;
    const isOfPasskey = this.#passkey.isMeant(stanza);
    const isRefresh = type === 'companion_reg_refresh';
    const isEmpty = type === 'link_code_companion_reg' && !hasKeys(stanza);
    if (!isOfPasskey && !isRefresh && !isEmpty) return undefined;
    this.#tell({ tag: 'ack', attrs: { id, to: from, class: 'notification', type } });
    if (isRefresh) this.#refresh();
    if (isOfPasskey) this.#passkey.hear(stanza);
    // The phone has read what was shown: nothing more is, while a person signs.
    if (this.#passkey.isUnderWay) this.#refs.end();
    return 'taken';
  }

  async #askForCode(phoneNumber: string, expiresAtMs: number): Promise<void> {
    const { socket, queryTimeoutMs, offer, cut } = this.#options;
    const accepted = new Promise<void>((resolve) => {
      socket.ws.once('CB:iq,type:result,link_code_companion_reg', () => resolve());
    });
    // Baileys waits for neither the answer to the request nor to the last step; nothing else is asked while it pairs.
    socket.ws.on('CB:iq,type:error', (stanza: BinaryNode) => {
      // What is refused from then on belongs to the passkey, which hears of it itself.
      if (this.#passkey.isUnderWay) return;
      cut(new PairingRefusedError(Number(getBinaryNodeChild(stanza, 'error')?.attrs['code'] ?? 500)));
    });
    const code = await withDeadline('asking for a pairing code', queryTimeoutMs, async () => {
      const made = await socket.requestPairingCode(phoneNumber);
      await accepted;
      return made;
    });
    offer({ method: 'code', code, phoneNumber, expiresAtMs });
  }

  /** Replaces the secret in the QR text, which is void, by a new one in the same text, for the rest of its life. */
  #refresh(): void {
    const { request, credentials, random } = this.#options;
    // With a code the secret is agreed on with the phone, and with a passkey it is on its way to it: such a one must stay.
    if (request.method !== 'qr' || this.#passkey.isUnderWay) return;
    credentials.advSecretKey = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64');
    if (this.#shown !== undefined) {
      this.#show({ ...this.#shown, qr: withSecret(this.#shown.qr, credentials.advSecretKey) });
    }
  }

  #show(offer: Extract<PairingOffer, { method: 'qr' }>): void {
    this.#shown = offer;
    this.#options.offer(offer);
  }

  /**
   * Makes the new credentials durable before the pairing is confirmed: afterwards they could be lost with it. The rest is what
   * Baileys does with this stanza, which does not see it: it would sign the account a second time, so that what was
   * stored had to be stored again.
   */
  async #onPaired(stanza: BinaryNode): Promise<'taken'> {
    const { credentials, store, paired, socket } = this.#options;
    socket.updateServerTimeOffset(stanza);
    const { reply, creds } = configureSuccessfulPairing(stanza, credentials);
    await store({ ...credentials, ...creds, pairingCode: undefined });
    Object.assign(credentials, creds);
    this.#refs.end();
    this.#passkey.end();
    paired();
    this.#tell(reply);
    void socket.sendUnifiedSession();
    return 'taken';
  }

  #tell(stanza: BinaryNode): void {
    const { socket, cut } = this.#options;
    withDeadline('writing a stanza', deadlines.stanzaWrite.ms, () => socket.sendNode(stanza)).catch(cut);
  }
}

/** The same QR text with another secret, which stands before the platform at its end. */
function withSecret(qr: string, secret: string): string {
  return qr.split(',').toSpliced(-2, 1, secret).join(',');
}

function toBase64({ public: key }: { readonly public: Uint8Array }): string {
  return Buffer.from(key).toString('base64');
}

function hasKeys(stanza: BinaryNode): boolean {
  const keys = getBinaryNodeChild(stanza, 'link_code_companion_reg');
  return CODE_KEYS.every((tag) => getBinaryNodeChildBuffer(keys, tag) !== undefined);
}
