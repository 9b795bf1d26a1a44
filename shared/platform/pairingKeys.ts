import type { ConnectionId, PairingLinkId } from '../kernel/id.ts';
import { pairingOfferKey, type ItemKey } from './keys.ts';

/** The links to the pairing page of a connection, in the order in which they were made. */
export const PAIRING_LINK_PREFIX = 'PAIRING_LINK#';
export const pairingLinkKey = (connectionId: ConnectionId, linkId: PairingLinkId): ItemKey => ({
  pk: pairingLinkPartition(connectionId),
  sk: `${PAIRING_LINK_PREFIX}${linkId}`,
});
/** The partition of links, which is that of everything else of the connection. */
export const pairingLinkPartition = (connectionId: ConnectionId): string => pairingOfferKey(connectionId).pk;
