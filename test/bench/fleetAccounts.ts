import {
  BufferJSON,
  Curve,
  initAuthCreds,
  proto,
  WA_ADV_ACCOUNT_SIG_PREFIX,
  WA_ADV_DEVICE_SIG_PREFIX,
  type AuthenticationCreds,
  type KeyPair,
} from '@whiskeysockets/baileys';
import { AppState } from '../whatsapp/appState.ts';
import { Phone } from '../whatsapp/phone.ts';
import { jidOf, lidOf, WHATSAPP, type Account, type LinkedDevice, type World } from '../whatsapp/world.ts';

/** A linked account that never went through a pairing: what a client logs in with. */
export interface PreparedAccount {
  readonly number: string;
  readonly creds: AuthenticationCreds;
  readonly preKeys: Readonly<Record<string, KeyPair>>;
}

/** Enough that no client uploads more at login, and few enough that a thousand accounts are made in seconds. */
const PRE_KEYS = 30;
const DEVICE = 1;

/**
 * Puts an account with one linked device into a world, as a pairing and a first login would leave them. The phone has no
 * one-time pre-keys, so that a session with it begins with its signed one alone.
 */
export function prepareAccount(world: World, number: string): PreparedAccount {
  const phone = new Phone(number, lidOf(number));
  const account: Account = {
    number,
    lid: lidOf(number),
    name: `Account ${number}`,
    phone,
    devices: new Map(),
    nextDevice: DEVICE + 1,
    ahead: [],
    appState: new AppState(undefined, () => undefined),
  };
  const creds = initAuthCreds();
  const preKeys = Object.fromEntries(
    Array.from({ length: PRE_KEYS }, (_, index): [string, KeyPair] => [String(index + 1), Curve.generateKeyPair()]),
  );
  Object.assign(creds, {
    ...linkedAs(account, creds),
    nextPreKeyId: PRE_KEYS + 1,
    firstUnuploadedPreKeyId: PRE_KEYS + 1,
    accountSyncCounter: 1,
  });
  const { keyId, keyPair, signature } = creds.signedPreKey;
  const device: LinkedDevice = {
    number,
    id: DEVICE,
    noiseKey: Buffer.from(creds.noiseKey.public),
    identity: creds.signedIdentityKey.public,
    registrationId: creds.registrationId,
    signedPreKey: { id: keyId, value: keyPair.public, signature },
    preKeys: Object.entries(preKeys).map(([id, pair]) => ({ id: Number(id), value: pair.public })),
    logins: 1,
    pending: [],
  };
  account.devices.set(DEVICE, device);
  world.accounts.set(number, account);
  return { number, creds, preKeys };
}

/** What a pairing writes into the credentials. */
function linkedAs(account: Account, { signedIdentityKey }: AuthenticationCreds): Partial<AuthenticationCreds> {
  const identity = account.phone.creds.signedIdentityKey;
  const lid = jidOf(account, DEVICE, 'lid');
  const details = proto.ADVDeviceIdentity.encode({
    rawId: account.phone.creds.registrationId,
    timestamp: Math.floor(Date.now() / 1_000),
    keyIndex: DEVICE,
  }).finish();
  const ofAccount = Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, signedIdentityKey.public]);
  const ofDevice = Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, signedIdentityKey.public, identity.public]);
  return {
    account: {
      details,
      accountSignatureKey: identity.public,
      accountSignature: account.phone.sign(ofAccount),
      deviceSignature: Curve.sign(signedIdentityKey.private, ofDevice),
    },
    me: { id: jidOf(account, DEVICE, WHATSAPP), name: account.name, lid },
    signalIdentities: [
      {
        identifier: { name: lid, deviceId: 0 },
        identifierKey: Buffer.concat([Buffer.from([5]), identity.public]),
      },
    ],
    platform: 'android',
  };
}

export function packAccount(account: PreparedAccount): string {
  return JSON.stringify(account, BufferJSON.replacer);
}

export function unpackAccount(text: string): PreparedAccount {
  return JSON.parse(text, BufferJSON.reviver) as PreparedAccount;
}
