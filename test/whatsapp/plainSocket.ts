import {
  addTransactionCapability,
  BufferJSON,
  initAuthCreds,
  makeWASocket,
  proto,
  WA_CERT_DETAILS,
  type AuthenticationCreds,
  type ConnectionState,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { silentLogger } from './silentLogger.ts';
import { until } from './until.ts';

/** What a Baileys client logs in with. */
export interface PlainCredentials {
  readonly creds: AuthenticationCreds;
  readonly keys: SignalKeyStore;
}

/** Credentials and keys of a plain Baileys client, in memory. */
export class PlainAccount implements PlainCredentials {
  readonly creds: AuthenticationCreds = initAuthCreds();
  readonly #values = new Map<string, string>();

  readonly keys = addTransactionCapability(
    {
      get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found: { [id: string]: SignalDataTypeMap[T] } = {};
        for (const id of ids) {
          const text = this.#values.get(`${type}/${id}`);
          if (text !== undefined) found[id] = asBaileysHasIt(type, JSON.parse(text, BufferJSON.reviver));
        }
        return found;
      },
      set: async (data: SignalDataSet) => {
        for (const [type, entries] of Object.entries(data)) {
          for (const [id, value] of Object.entries(entries ?? {})) {
            if (value === null) this.#values.delete(`${type}/${id}`);
            else this.#values.set(`${type}/${id}`, JSON.stringify(value, BufferJSON.replacer));
          }
        }
      },
    },
    silentLogger,
    { maxCommitRetries: 1, delayBetweenTriesMs: 1 },
  );

  /** Loses the keys of a type that concern a user, as after a restore from an old backup. */
  forget(type: 'session' | 'sender-key', user: string): void {
    for (const key of this.#values.keys()) {
      if (key.startsWith(`${type}/`) && key.includes(user)) this.#values.delete(key);
    }
  }
}

/** A key of app state must be a message of the library: plain values have no bytes where it looks for them. */
function asBaileysHasIt<T extends keyof SignalDataTypeMap>(type: T, value: unknown): SignalDataTypeMap[T] {
  if (type !== 'app-state-sync-key') return value as SignalDataTypeMap[T];
  return proto.Message.AppStateSyncKeyData.fromObject(
    value as Record<string, unknown>,
  ) as unknown as SignalDataTypeMap[T];
}

export interface PlainSocket {
  readonly socket: ReturnType<typeof makeWASocket>;
  /** Connection updates so far. */
  readonly updates: readonly Partial<ConnectionState>[];
  /** Messages with something to see, in the order in which Baileys gave them out. */
  readonly received: WAMessage[];
  /** Waits for a connection update that fits. Throws after the deadline with what came instead. */
  readonly until: (
    what: string,
    fits: (update: Partial<ConnectionState>) => boolean,
  ) => Promise<Partial<ConnectionState>>;
  readonly close: () => void;
}

const DEADLINE_MS = 15_000;

/** Opens a socket of unmodified Baileys to the simulator. */
export function openPlainSocket(
  account: PlainCredentials,
  server: { readonly webSocketUrl: string; readonly rootKey: string },
  config: Partial<UserFacingSocketConfig> = {},
): PlainSocket {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(server.rootKey, 'hex');
  const socket = makeWASocket({
    waWebSocketUrl: server.webSocketUrl,
    auth: { creds: account.creds, keys: account.keys },
    logger: silentLogger,
    connectTimeoutMs: 1_500,
    defaultQueryTimeoutMs: 3_000,
    keepAliveIntervalMs: 1_000,
    markOnlineOnConnect: false,
    ...config,
  });
  const updates: Partial<ConnectionState>[] = [];
  const waiting = new Set<() => void>();
  const received: WAMessage[] = [];
  socket.ev.on('creds.update', (update) => Object.assign(account.creds, update));
  socket.ev.on('connection.update', (update) => {
    updates.push(update);
    for (const check of waiting) check();
  });
  socket.ev.on('messages.upsert', ({ messages }) => {
    received.push(...messages.filter(({ message }) => message && !message.protocolMessage));
    for (const check of waiting) check();
  });
  return {
    socket,
    updates,
    received,
    until: (what, fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`${what} did not come; came: ${JSON.stringify(updates)}`));
        }, DEADLINE_MS);
        const check = (): void => {
          const found = updates.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    close: () => void socket.end(undefined),
  };
}

export const isOpen = (update: Partial<ConnectionState>): boolean => update.connection === 'open';
export const isClosed = (update: Partial<ConnectionState>): boolean => update.connection === 'close';
export const isCaughtUp = (update: Partial<ConnectionState>): boolean => update.receivedPendingNotifications === true;

/** The number that Baileys reports for a closed socket. */
export function codeOf(update: Partial<ConnectionState>): number | undefined {
  const error = update.lastDisconnect?.error as { readonly output?: { readonly statusCode?: number } } | undefined;
  return error?.output?.statusCode;
}

/** Pairs an account by QR with a phone and comes back online after the restart that the server asks for. */
export async function pairByQr(
  account: PlainCredentials,
  server: { readonly webSocketUrl: string; readonly rootKey: string },
  scan: (qr: string) => Promise<unknown>,
  config: Partial<UserFacingSocketConfig> = {},
): Promise<PlainSocket> {
  const first = openPlainSocket(account, server, config);
  const { qr = '' } = await first.until('a QR text', (update) => update.qr !== undefined);
  await scan(qr);
  await first.until('the restart after pairing', (update) => isClosed(update) && codeOf(update) === 515);
  const second = openPlainSocket(account, server, config);
  await second.until('open', isOpen);
  await second.until('the end of the offline queue', isCaughtUp);
  // Until it has seen a history, Baileys holds messages back for 20 s at each login.
  await until(
    'the history',
    () => account.creds.accountSyncCounter,
    (count) => count > 0,
  );
  return second;
}

/** Texts of the messages that a socket has received, in order. */
export function textsOf(socket: PlainSocket): readonly string[] {
  return socket.received.flatMap(({ message }) => message?.conversation ?? message?.extendedTextMessage?.text ?? []);
}
