import type { Connection } from '../../shared/connection/connection.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { until } from '../whatsapp/until.ts';

/** What a row says of a connection that was never linked, and whose tenant has just asked for a QR. */
export function askedForQr() {
  return {
    account: undefined,
    status: 'unpaired',
    statusCode: 'never_paired',
    pairing: { requestId: 'first', requestedAtMs: Date.now(), method: 'qr' },
  } as const satisfies Partial<Connection>;
}

/** The text of the QR, once a worker offers one. */
export async function untilQr(
  store: Parameters<typeof findPairingOffer>[0],
  { connectionId }: Pick<Connection, 'connectionId'>,
  patienceMs: number,
): Promise<string> {
  const offer = await until(
    'an offer',
    () => findPairingOffer(store, connectionId, Date.now()),
    (found) => found?.method === 'qr',
    patienceMs,
  );
  return offer?.method === 'qr' ? offer.qr : '';
}
