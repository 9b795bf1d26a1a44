import { INITIAL_PREKEY_COUNT } from '@whiskeysockets/baileys';
import type { InboundOrder } from '../inbound/inboundOrder.ts';
import type { PairingOffer } from '../port/connectionSocket.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import { BROWSER } from '../repairs/baileysConfiguration.ts';
import { keyPairStock } from '../repairs/keyPairStock.ts';
import type { SocketCredentials } from '../signal/socketCredentials.ts';
import { Pairing, type PairingSocket } from './pairing.ts';

/** How long a finished pairing waits for the gate, in milliseconds: about as long as WhatsApp waits for its confirmation. */
const SUSPENDED_MS = 40_000;

export interface PairingParts {
  readonly socket: PairingSocket;
  readonly order: InboundOrder;
  readonly credentials: SocketCredentials;
  /** Called when the socket enters a phase of its life. */
  readonly enter: (phase: 'pairing' | 'opening') => void;
  readonly cut: (cause: unknown) => void;
}

/** Makes the pairing of a socket that is opened for one; undefined for a login. */
export function openPairing(options: OpenSocketOptions, parts: PairingParts): Pairing | undefined {
  const { pairing: request, session, gate, config, clock, random, scope, emit, generation } = options;
  const { socket, order, credentials, enter, cut } = parts;
  if (request === undefined) return undefined;
  return new Pairing({
    request,
    socket,
    inbound: order,
    credentials: credentials.current,
    browser: BROWSER,
    nowMs: clock.nowMs,
    monotonicMs: clock.monotonicMs,
    random,
    scope,
    queryTimeoutMs: config.pairingQueryTimeoutMs,
    offer: (offer: PairingOffer) => {
      enter('pairing');
      emit({ type: 'pairing_offered', generation, offer });
    },
    store: async (made) => {
      // The login that follows takes them all at once. They are made while the store and WhatsApp do their part.
      keyPairStock.order(INITIAL_PREKEY_COUNT);
      // A pairing cannot be had again without the person who scans. A gate that is closed for a moment, because the store
      // of the leases is slow, is waited for, as every write of the session waits for it.
      await gate.whenOpen(SUSPENDED_MS);
      await session.storeNewCredentials(made);
    },
    paired: () => {
      credentials.paired();
      enter('opening');
      emit({ type: 'paired', generation, account: credentials.account() });
    },
    cut,
  });
}
