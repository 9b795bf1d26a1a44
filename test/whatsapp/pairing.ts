import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  aesDecryptGCM,
  aesEncryptCTR,
  aesDecryptCTR,
  Curve,
  derivePairingCodeKey,
  hkdf,
  proto,
} from '@whiskeysockets/baileys';
import type { ClientSocket, Registration } from './clientSocket.ts';
import { strikeSockets, type RegistrationStrike } from './faults.ts';
import type { LinkResult } from './linkResult.ts';
import { bytesOf, child, node, stamp, type BinaryNode } from './node.ts';
import { Passkeys } from './passkeys.ts';
import { jidOf, WHATSAPP, type Account, type LinkedDevice } from './world.ts';

/** Registration and pairing (docs/whatsapp.md, "Pairing by QR" and "Pairing by code"). */
const REFS = 6;
const FINISH_DEADLINE_MS = 10_000;
const ACCOUNT_SIGNATURE = Buffer.from([6, 0]);

interface CodeOffer {
  readonly socket: ClientSocket;
  readonly ref: string;
  /** salt | iv | the companion's ephemeral key under the code. */
  readonly wrapped: Buffer;
  finish: ((bundle: BinaryNode) => void) | undefined;
}

/**
 * `companion_reg_refresh`, as public reports describe it (WhiskeySockets/Baileys#2737); not verified against WhatsApp. The
 * client must acknowledge it and show its QR text again with a new secret: the old one is not accepted any more.
 */
interface Refresh {
  readonly id: string;
  acknowledged: boolean;
  /** Secrets that were shown before it. */
  readonly voided: ReadonlySet<string>;
}

export class Pairing {
  readonly #offers = new Map<string, ClientSocket>();
  readonly #codes = new Map<string, CodeOffer>();
  readonly #refreshes = new WeakMap<ClientSocket, Refresh>();
  readonly #linked: (account: Account, device: LinkedDevice) => void;
  readonly passkeys = new Passkeys((account, socket, secret) => this.#confirm(account, socket, secret));

  /** @param linked told when a device has confirmed its pairing */
  constructor(linked: (account: Account, device: LinkedDevice) => void) {
    this.#linked = linked;
  }

  /** A client registers: gives it the refs from which it makes its QR texts. */
  offer(socket: ClientSocket): void {
    const refs = Array.from({ length: REFS }, () => `2@${randomBytes(24).toString('base64url')}`);
    for (const ref of refs) this.#offers.set(ref, socket);
    const content = refs.map((ref) => node('ref', {}, Buffer.from(ref)));
    void socket.ask([node('pair-device', {}, content)], { xmlns: 'md' });
  }

  /** Does something to the clients that are registering. Returns how many it hit. */
  strike(strike: RegistrationStrike): number {
    if (strike.kind === 'strike_registration') {
      const socket = this.#offers.get(partsOf(strike.shown).ref);
      return strikeSockets(strike.strike, socket === undefined ? [] : [socket]);
    }
    if (strike.kind === 'strike_passkey') {
      const socket = this.passkeys.socketOf(strike.number);
      return strikeSockets(strike.strike, socket === undefined ? [] : [socket]);
    }
    const sockets = new Set([...this.#offers.values(), ...[...this.#codes.values()].map(({ socket }) => socket)]);
    for (const socket of sockets) {
      if (strike.kind === 'refresh_registration') this.#refresh(socket, strike);
      else socket.send(notification('link_code_companion_reg'));
    }
    return sockets.size;
  }

  #refresh(socket: ClientSocket, { form, shown }: Extract<RegistrationStrike, { kind: 'refresh_registration' }>): void {
    const stanza = notification('companion_reg_refresh');
    const voided = new Set(this.#refreshes.get(socket)?.voided);
    if (shown !== undefined) voided.add(partsOf(shown).secret);
    const refresh = { id: stanza.attrs['id'] ?? '', acknowledged: form === 'ib', voided };
    this.#refreshes.set(socket, refresh);
    const content = node('companion_reg_refresh');
    if (form === 'notification') socket.send(stanza);
    else if (form === 'ib') socket.send(node('ib', { from: WHATSAPP }, [content]));
    else {
      void socket.ask([content], { xmlns: 'md' }).then((answer) => {
        refresh.acknowledged = answer?.attrs['type'] === 'result';
      });
    }
  }

  /** A client that is registering has acknowledged a notification. */
  acknowledge(socket: ClientSocket, { attrs }: BinaryNode): void {
    const refresh = this.#refreshes.get(socket);
    if (refresh !== undefined && refresh.id === attrs['id'] && attrs['class'] === 'notification') {
      refresh.acknowledged = true;
    }
  }

  /** The client is gone: its offers are void. */
  forget(socket: ClientSocket): void {
    this.passkeys.forget(socket);
    this.#forgetOffers(socket);
    for (const [number, offer] of this.#codes) if (offer.socket === socket) this.#codes.delete(number);
  }

  #forgetOffers(socket: ClientSocket): void {
    for (const [ref, owner] of this.#offers) if (owner === socket) this.#offers.delete(ref);
  }

  /** `companion_hello`: a client asks to be linked by code with a phone number. Returns the ref. */
  hello(socket: ClientSocket, registration: BinaryNode): string {
    const number = (registration.attrs['jid'] ?? '').split('@')[0] ?? '';
    const ref = randomBytes(16).toString('base64url');
    const wrapped = bytesOf(registration, 'link_code_pairing_wrapped_companion_ephemeral_pub') ?? Buffer.alloc(0);
    this.#codes.set(number, { socket, ref, wrapped, finish: undefined });
    return ref;
  }

  /** `companion_finish`: the client has seen the phone's keys. */
  finish(socket: ClientSocket, registration: BinaryNode): void {
    for (const offer of this.#codes.values()) if (offer.socket === socket) offer.finish?.(registration);
  }

  /** A phone scans a QR text. */
  async scan(account: Account, qr: string): Promise<LinkResult> {
    const { ref, secret } = partsOf(qr);
    const socket = this.#offers.get(ref);
    if (socket?.registration === undefined || socket.closed)
      return { refused: 'This QR code is not known or has expired.' };
    const refresh = this.#refreshes.get(socket);
    if (refresh !== undefined && (!refresh.acknowledged || refresh.voided.has(secret))) {
      return { refused: 'The registration was refreshed, and this QR code is of before.' };
    }
    // A code pairs once: a second phone that scans it comes too late.
    this.#forgetOffers(socket);
    return this.#link(account, socket, Buffer.from(secret, 'base64'));
  }

  /** A phone's owner types the code that a client shows. */
  async typeCode(account: Account, code: string): Promise<LinkResult> {
    const offer = this.#codes.get(account.number);
    const registration = offer?.socket.registration;
    if (offer === undefined || registration === undefined || offer.socket.closed) {
      return { refused: 'No client has asked for a code for this phone number.' };
    }
    const [salt, iv, sealed] = [
      offer.wrapped.subarray(0, 32),
      offer.wrapped.subarray(32, 48),
      offer.wrapped.subarray(48),
    ];
    const companionEphemeral = aesDecryptCTR(sealed, await derivePairingCodeKey(code, salt), iv);
    const ephemeral = Curve.generateKeyPair();
    const [mySalt, myIv] = [randomBytes(32), randomBytes(16)];
    const myWrapped = aesEncryptCTR(ephemeral.public, await derivePairingCodeKey(code, mySalt), myIv);
    const identity = account.phone.creds.signedIdentityKey;
    const finished = new Promise<BinaryNode>((resolve) => {
      offer.finish = resolve;
    });
    offer.socket.send(
      notification('link_code_companion_reg', [
        node('link_code_companion_reg', { stage: 'primary_hello' }, [
          node('link_code_pairing_ref', {}, Buffer.from(offer.ref)),
          node('primary_identity_pub', {}, identity.public),
          node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, Buffer.concat([mySalt, myIv, myWrapped])),
        ]),
      ]),
    );
    const finish = await Promise.race([finished, sleep(FINISH_DEADLINE_MS, undefined, { ref: false })]);
    const bundle = bytesOf(finish, 'link_code_pairing_wrapped_key_bundle');
    if (bundle === undefined) return { refused: 'The client did not finish the pairing.' };
    const shared = Curve.sharedKey(ephemeral.private, companionEphemeral);
    const key = hkdf(Buffer.from(shared), 32, {
      salt: bundle.subarray(0, 32),
      info: 'link_code_pairing_key_bundle_encryption_key',
    });
    let opened: Buffer;
    try {
      opened = aesDecryptGCM(bundle.subarray(44), key, bundle.subarray(32, 44), Buffer.alloc(0));
    } catch {
      return { refused: 'The code is wrong.' };
    }
    const [companionIdentity, random] = [opened.subarray(0, 32), opened.subarray(64)];
    const identityShared = Curve.sharedKey(identity.private, companionIdentity);
    const secret = hkdf(Buffer.concat([shared, identityShared, random]), 32, { info: 'adv_secret' });
    this.#codes.delete(account.number);
    return this.#link(account, offer.socket, Buffer.from(secret));
  }

  /** The phone knows the client's secret: the account's passkey is asked for, or the device is linked at once. */
  async #link(account: Account, socket: ClientSocket, secret: Buffer): Promise<LinkResult> {
    if (this.passkeys.ask(account, socket, secret)) return { asked: 'passkey' };
    return this.#confirm(account, socket, secret);
  }

  async #confirm(account: Account, socket: ClientSocket, advSecret: Buffer): Promise<LinkResult> {
    const registration = socket.registration;
    if (registration === undefined) return { refused: 'The client did not register.' };
    const id = account.nextDevice;
    account.nextDevice += 1;
    const details = proto.ADVDeviceIdentity.encode({
      rawId: account.phone.creds.registrationId,
      timestamp: Math.floor(Date.now() / 1_000),
      keyIndex: id,
    }).finish();
    const signed = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: account.phone.creds.signedIdentityKey.public,
      accountSignature: account.phone.sign(Buffer.concat([ACCOUNT_SIGNATURE, details, registration.identity])),
    }).finish();
    const hmac = createHmac('sha256', advSecret).update(signed).digest();
    const identity = proto.ADVSignedDeviceIdentityHMAC.encode({ details: signed, hmac }).finish();
    const answer = await socket.ask([
      node('pair-success', {}, [
        node('device-identity', {}, identity),
        node('platform', { name: 'android' }),
        node('device', { jid: jidOf(account, id, WHATSAPP), lid: jidOf(account, id, 'lid') }),
      ]),
    ]);
    if (child(answer, 'pair-device-sign') === undefined) return { refused: 'The client did not accept the pairing.' };
    this.forget(socket);
    const device: LinkedDevice = {
      ...toDevice(registration),
      number: account.number,
      id,
      preKeys: [],
      logins: 0,
      pending: [],
    };
    account.devices.set(id, device);
    this.#linked(account, device);
    socket.send(node('stream:error', { code: '515' }));
    socket.close();
    return { device: id };
  }
}

/** The ref and the secret of a QR text; the secret in base64. */
function partsOf(qr: string): { readonly ref: string; readonly secret: string } {
  const [ref = '', , , secret = ''] = (qr.split('#').at(-1) ?? '').replace(/^.*?(2@)/, '$1').split(',');
  return { ref, secret };
}

function notification(type: string, content?: BinaryNode[]): BinaryNode {
  return node('notification', { from: WHATSAPP, type, id: randomBytes(8).toString('hex'), t: stamp() }, content);
}

function toDevice({ noiseKey, identity, registrationId, signedPreKey }: Registration) {
  return { noiseKey, identity, registrationId, signedPreKey };
}
