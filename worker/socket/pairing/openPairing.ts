import type { makeWASocket } from '@whiskeysockets/baileys';
import type { InboundOrder } from '../inbound/inboundOrder.ts';
import type { PairingOffer } from '../port/connectionSocket.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import type { SocketCredentials } from '../signal/socketCredentials.ts';
import { Pairing } from './pairing.ts';

export interface PairingParts {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'ws' | 'sendNode' | 'requestPairingCode'>;
  readonly order: InboundOrder;
  readonly credentials: SocketCredentials;
  /** Called when the socket enters a phase of its life. */
  readonly enter: (phase: 'pairing' | 'opening') => void;
  readonly cut: (cause: unknown) => void;
}

/** Makes the pairing of a socket that is opened for one; undefined for a login. */
export function openPairing(options: OpenSocketOptions, parts: PairingParts): Pairing | undefined {
  const { pairing: request, session, gate, config, clock, random, emit, generation } = options;
  const { socket, order, credentials, enter, cut } = parts;
  if (request === undefined) return undefined;
  return new Pairing({
    request,
    socket,
    inbound: order,
    credentials: credentials.current,
    nowMs: clock.nowMs,
    random,
    queryTimeoutMs: config.pairingQueryTimeoutMs,
    offer: (offer: PairingOffer) => {
      enter('pairing');
      emit({ type: 'pairing_offered', generation, offer });
    },
    store: (made) => {
      gate.assertOpen();
      return session.storeNewCredentials(made);
    },
    paired: () => {
      credentials.paired();
      enter('opening');
      emit({ type: 'paired', generation, account: credentials.account() });
    },
    cut,
  });
}
