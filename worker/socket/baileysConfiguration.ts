import type { UserFacingSocketConfig } from '@whiskeysockets/baileys';
import type { StanzaId } from '../../shared/kernel/id.ts';
import { baileysLogger } from './baileysLogger.ts';
import { mediaDispatcher } from './mediaDispatcher.ts';
import { sharedCaches } from './sharedCaches.ts';
import { socketAgentOf } from './socketAgent.ts';
import type { OpenSocketOptions } from './socketOptions.ts';

const RETRY_REQUEST_DELAY_MS = 5_000;

/**
 * How Baileys is set up for one socket: what it may do by itself, and how long it may wait.
 * @param ours what it is given of ours to work with
 */
export function makeBaileysConfiguration(
  { connection, config, whatsappUrl, lookUpSent, pairing, presence, version }: OpenSocketOptions,
  ours: Required<Pick<UserFacingSocketConfig, 'auth' | 'makeSignalRepository' | 'userDevicesCache'>>,
): UserFacingSocketConfig {
  const agent = socketAgentOf(whatsappUrl);
  return {
    waWebSocketUrl: whatsappUrl,
    ...(agent === undefined ? {} : { agent }),
    ...ours,
    ...sharedCaches.of(connection.connectionId),
    logger: baileysLogger,
    version: toNumbers(version),
    browser: ['Holdfast', 'Chrome', '1.0'],
    connectTimeoutMs: config.connectTimeoutMs,
    // Baileys has one number for all queries. A hanging one blocks every send, so online it must be short.
    defaultQueryTimeoutMs: pairing === undefined ? config.onlineQueryTimeoutMs : config.pairingQueryTimeoutMs,
    keepAliveIntervalMs: config.keepAliveMs,
    // Undici's own types and Node's copy of them differ in optional fields.
    options: { dispatcher: mediaDispatcher as unknown as NonNullable<RequestInit['dispatcher']> },
    retryRequestDelayMs: RETRY_REQUEST_DELAY_MS,
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 },
    markOnlineOnConnect: presence === 'available',
    syncFullHistory: false,
    // History has no place to go yet; without it Baileys does not hold the first login back for 20 s.
    shouldSyncHistoryMessage: () => false,
    enableRecentMessageCache: false,
    generateHighQualityLinkPreview: false,
    getMessage: async ({ id }) => {
      const content = await lookUpSent((id ?? '') as StanzaId);
      return content === undefined ? undefined : { extendedTextMessage: { text: content.text.body } };
    },
  };
}

function toNumbers(version: string): [number, number, number] {
  const [primary = 0, secondary = 0, tertiary = 0] = version.split('.').map(Number);
  return [primary, secondary, tertiary];
}
