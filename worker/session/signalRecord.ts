/**
 * A record of Signal sessions with one device, in libsignal 6's JSON form, and pruned (`signalBytes` packs it). libsignal
 * keeps every receiving chain that it has closed: 0.9 KB at first, 21.8 KB after 200 changes of direction, on each
 * write. A closed chain matters only for the messages that were skipped on it.
 */
export interface SignalRecord {
  readonly version: 'v1';
  /** The sessions by base key, base64. */
  readonly _sessions: Readonly<Record<string, SignalSession>>;
}

export interface SignalSession {
  readonly registrationId: number;
  readonly currentRatchet: {
    readonly ephemeralKeyPair: { readonly pubKey: string; readonly privKey: string };
    readonly lastRemoteEphemeralKey: string;
    readonly previousCounter: number;
    readonly rootKey: string;
  };
  readonly indexInfo: {
    readonly baseKey: string;
    readonly baseKeyType: number;
    /** −1 while the session is open, else the time at which it was closed, in milliseconds. */
    readonly closed: number;
    readonly used: number;
    readonly created: number;
    readonly remoteIdentityKey: string;
  };
  /** The chains by ratchet key, base64, oldest first. */
  readonly _chains: Readonly<Record<string, SignalChain>>;
  /** Present until the other side has answered; its shape is libsignal's own affair. */
  readonly pendingPreKey?: Readonly<Record<string, unknown>> & { readonly baseKey: string };
}

export interface SignalChain {
  readonly chainKey: { readonly counter: number; readonly key?: string };
  /** 1 for a sending chain, 2 for a receiving one. */
  readonly chainType: number;
  /** Keys of messages that were skipped, by counter. */
  readonly messageKeys: Readonly<Record<string, string>>;
}

/** The number of closed chains without skipped messages that are kept, so that a repeated message is named as one. */
const EMPTY_CHAINS = 2;
/**
 * The number of newest keys of skipped messages that are kept for each session: a contact can make the account skip
 * 2,000 with one message.
 */
const SKIPPED_KEYS = 200;
/**
 * The number of closed sessions that are kept: messages on them may still be on their way. More than one a day is a
 * defect.
 */
const CLOSED_SESSIONS = 5;

export function isSignalRecord(value: unknown): value is SignalRecord {
  if (typeof value !== 'object' || value === null || !('_sessions' in value)) return false;
  return 'version' in value && value.version === 'v1';
}

/** The record without parts that can never be needed again. Open sessions and chains stay as they are. */
export function pruneRecord(record: SignalRecord): SignalRecord {
  const sessions = Object.entries(record._sessions);
  const kept = new Set(
    sessions
      .filter(([, { indexInfo }]) => indexInfo.closed !== -1)
      .sort(([, left], [, right]) => right.indexInfo.closed - left.indexInfo.closed)
      .slice(0, CLOSED_SESSIONS)
      .map(([key]) => key),
  );
  return {
    version: record.version,
    _sessions: Object.fromEntries(
      sessions
        .filter(([key, { indexInfo }]) => indexInfo.closed === -1 || kept.has(key))
        .map(([key, session]) => [key, pruneSession(session)]),
    ),
  };
}

function pruneSession(session: SignalSession): SignalSession {
  let emptyLeft = EMPTY_CHAINS;
  let skippedLeft = SKIPPED_KEYS;
  const chains: (readonly [string, SignalChain])[] = [];
  for (const [key, chain] of Object.entries(session._chains).reverse()) {
    const skipped = Object.entries(chain.messageKeys).slice(-skippedLeft || Infinity);
    const messageKeys = Object.fromEntries(skippedLeft === 0 ? [] : skipped);
    skippedLeft -= Object.keys(messageKeys).length;
    const isOpen = chain.chainKey.key !== undefined;
    if (!isOpen && Object.keys(messageKeys).length === 0 && (emptyLeft -= 1) < 0) continue;
    chains.push([key, { ...chain, messageKeys }]);
  }
  return { ...session, _chains: Object.fromEntries(chains.reverse()) };
}
