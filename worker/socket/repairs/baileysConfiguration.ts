import type { CacheStore, proto, UserFacingSocketConfig, WABrowserDescription } from '@whiskeysockets/baileys';
import { baileysLogger } from './baileysLogger.ts';
import { mediaDispatcher } from './mediaDispatcher.ts';
import { socketAgentOf } from './socketAgent.ts';
import { withDefaults } from '../../../shared/connection/settings.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';

/**
 * How often one message is repeated to one device, and asked for from one. Baileys counts each repetition twice, so
 * that ten are five; a message that a peer could not read four times in a row is still repeated.
 */
export const MOST_RETRIES = 10;

/** The parts of ours that Baileys works with. */
export interface PartsOfOurs extends Required<
  Pick<
    UserFacingSocketConfig,
    | 'auth'
    | 'makeSignalRepository'
    | 'userDevicesCache'
    | 'msgRetryCounterCache'
    | 'callOfferCache'
    | 'cachedGroupMetadata'
  >
> {
  /** The message that the present stanza may have again; undefined for everything else, whoever names it. */
  readonly messageOf: (stanzaId: string) => proto.IMessage | undefined;
}

/** The browser that registrations name. */
export const BROWSER: WABrowserDescription = ['Holdfast', 'Chrome', '1.0'];

/** The configuration of Baileys for one socket: what it may do by itself, and how long it may wait. */
export function makeBaileysConfiguration(
  { config, whatsappUrl, pairing, settings, version }: OpenSocketOptions,
  { messageOf, ...ours }: PartsOfOurs,
): UserFacingSocketConfig {
  const agent = socketAgentOf(whatsappUrl);
  return {
    waWebSocketUrl: whatsappUrl,
    ...(agent === undefined ? {} : { agent }),
    ...ours,
    logger: baileysLogger,
    version: toNumbers(version),
    browser: BROWSER,
    // Opening is bounded by `boundHandshake`: with a number here each frame that is written takes three stack traces.
    connectTimeoutMs: 0,
    // Baileys has one number for all queries. A hanging query blocks every send, so online it must be short.
    defaultQueryTimeoutMs: pairing === undefined ? config.onlineQueryTimeoutMs : config.pairingQueryTimeoutMs,
    keepAliveIntervalMs: config.keepAliveMs,
    // Undici's own types and Node's copy of them differ in optional fields.
    options: { dispatcher: mediaDispatcher as unknown as NonNullable<RequestInit['dispatcher']> },
    // Requests leave outside the turn of their stanza, at a pace of ours (`unreadableMessages`).
    retryRequestDelayMs: 0,
    maxMsgRetryCount: MOST_RETRIES,
    placeholderResendCache: alreadyAskedFor,
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 },
    markOnlineOnConnect: withDefaults(settings?.()).presence === 'available',
    // It says at the pairing whether the phone is to send all that it has.
    syncFullHistory: withDefaults(settings?.()).history === 'full',
    // The media function takes histories in. Without this Baileys would fetch them where messages wait, and hold the first login back for 20 s.
    shouldSyncHistoryMessage: () => false,
    enableRecentMessageCache: false,
    generateHighQualityLinkPreview: false,
    getMessage: async ({ id }) => messageOf(id ?? ''),
  };
}

/**
 * A cache that answers for each message that it was asked for already. Baileys asks the phone, too, for each message
 * that it cannot decrypt, and waits two seconds first. WhatsApp's own clients ask the sender alone. Messages without
 * content, which the phone is asked for, are handled elsewhere (`placeholders`).
 */
const alreadyAskedFor: CacheStore = {
  get: () => true as never,
  set: () => undefined,
  del: () => undefined,
  flushAll: () => undefined,
};

function toNumbers(version: string): [number, number, number] {
  const [primary = 0, secondary = 0, tertiary = 0] = version.split('.').map(Number);
  return [primary, secondary, tertiary];
}
