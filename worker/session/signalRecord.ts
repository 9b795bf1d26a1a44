/**
 * A record of Signal sessions with one device, in libsignal 6's JSON form: pruned, and packed without names. libsignal
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

type PackedChain = readonly [Uint8Array, number, Uint8Array | null, number, readonly (readonly [number, Uint8Array])[]];

/** The record as arrays and bytes instead of names and base64. */
export function packRecord({ _sessions }: SignalRecord): unknown {
  return Object.values(_sessions).map(({ registrationId, currentRatchet, indexInfo, _chains, pendingPreKey }) => [
    registrationId,
    [
      toBytes(currentRatchet.ephemeralKeyPair.pubKey),
      toBytes(currentRatchet.ephemeralKeyPair.privKey),
      toBytes(currentRatchet.lastRemoteEphemeralKey),
      currentRatchet.previousCounter,
      toBytes(currentRatchet.rootKey),
    ],
    [
      toBytes(indexInfo.baseKey),
      indexInfo.baseKeyType,
      indexInfo.closed,
      indexInfo.used,
      indexInfo.created,
      toBytes(indexInfo.remoteIdentityKey),
    ],
    Object.entries(_chains).map(([key, { chainKey, chainType, messageKeys }]) => [
      toBytes(key),
      chainKey.counter,
      chainKey.key === undefined ? null : toBytes(chainKey.key),
      chainType,
      Object.entries(messageKeys).map(([counter, messageKey]) => [Number(counter), toBytes(messageKey)]),
    ]),
    pendingPreKey === undefined ? null : { ...pendingPreKey, baseKey: toBytes(pendingPreKey.baseKey) },
  ]);
}

type PackedSession = readonly [
  number,
  readonly [Uint8Array, Uint8Array, Uint8Array, number, Uint8Array],
  readonly [Uint8Array, number, number, number, number, Uint8Array],
  readonly PackedChain[],
  (Readonly<Record<string, unknown>> & { readonly baseKey: Uint8Array }) | null,
];

/** The record of {@link packRecord}. */
export function unpackRecord(packed: unknown): SignalRecord {
  const sessions = (packed as readonly PackedSession[]).map(unpackSession);
  return {
    version: 'v1',
    _sessions: Object.fromEntries(sessions.map((session) => [session.indexInfo.baseKey, session])),
  };
}

function unpackSession([registrationId, ratchet, index, chains, pending]: PackedSession): SignalSession {
  return {
    registrationId,
    currentRatchet: {
      ephemeralKeyPair: { pubKey: toText(ratchet[0]), privKey: toText(ratchet[1]) },
      lastRemoteEphemeralKey: toText(ratchet[2]),
      previousCounter: ratchet[3],
      rootKey: toText(ratchet[4]),
    },
    indexInfo: {
      baseKey: toText(index[0]),
      baseKeyType: index[1],
      closed: index[2],
      used: index[3],
      created: index[4],
      remoteIdentityKey: toText(index[5]),
    },
    _chains: Object.fromEntries(
      chains.map(([key, counter, chainKey, chainType, skipped]) => [
        toText(key),
        {
          // The key is absent, not null: libsignal accepts only an undefined key for a closed chain.
          chainKey: { counter, ...(chainKey === null ? {} : { key: toText(chainKey) }) },
          chainType,
          messageKeys: Object.fromEntries(skipped.map(([at, messageKey]) => [String(at), toText(messageKey)])),
        },
      ]),
    ),
    ...(pending === null ? {} : { pendingPreKey: { ...pending, baseKey: toText(pending.baseKey) } }),
  };
}

function toBytes(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
