import {
  BufferJSON,
  makeWASocket,
  WA_CERT_DETAILS,
  type AuthenticationCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { silentLogger } from '../whatsapp/silentLogger.ts';
import type { PreparedAccount } from './fleetAccounts.ts';
import { pause, type FleetSide, type SideOptions } from './fleetSide.ts';

const ACK_DEADLINE_MS = 20_000;

interface Open {
  readonly socket: ReturnType<typeof makeWASocket>;
  readonly caughtUp: PromiseWithResolvers<void>;
  /** The sends that wait for the server's ack, by stanza. */
  readonly unacknowledged: Map<string, () => void>;
}

/**
 * Unmodified Baileys with its own defaults; only its log is silent. Each account's keys and credentials are JSON in memory,
 * and each call to that takes the latency.
 */
export function makePlainFleet({ url, rootKey, latencyMs }: SideOptions): FleetSide {
  silenceConsole();
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex');
  const stores: AccountStore[] = [];
  const open = new Map<number, Open>();
  let received = 0;
  return {
    load: async (accounts) => {
      for (const account of accounts) stores.push(new AccountStore(account, latencyMs));
    },
    open: async (index) => {
      const store = stores[index];
      if (store === undefined) throw new Error(`there is no account ${index}`);
      const creds = store.creds();
      const socket = makeWASocket({ waWebSocketUrl: url, auth: { creds, keys: store }, logger: silentLogger });
      const [opened, caughtUp] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      for (const { promise } of [opened, caughtUp]) promise.catch(() => undefined);
      const unacknowledged = new Map<string, () => void>();
      socket.ev.on('creds.update', (update) => {
        Object.assign(creds, update);
        void store.save(creds);
      });
      socket.ev.on('connection.update', ({ connection, receivedPendingNotifications, lastDisconnect }) => {
        if (connection === 'open') opened.resolve();
        if (receivedPendingNotifications === true) caughtUp.resolve();
        if (connection === 'close') {
          opened.reject(lastDisconnect?.error ?? new Error('closed'));
          caughtUp.reject(lastDisconnect?.error ?? new Error('closed'));
        }
      });
      socket.ev.on('messages.upsert', ({ messages }) => {
        received += messages.filter(({ key, message }) => key.fromMe !== true && message?.conversation).length;
      });
      socket.ws.on('CB:ack,class:message', ({ attrs }: { readonly attrs: Readonly<Record<string, string>> }) => {
        unacknowledged.get(attrs['id'] ?? '')?.();
      });
      open.set(index, { socket, caughtUp, unacknowledged });
      await opened.promise;
    },
    caughtUp: async (index) => open.get(index)?.caughtUp.promise,
    send: async (index, to, text) => {
      const found = open.get(index);
      if (found === undefined) throw new Error(`account ${index} is not open`);
      const { socket, unacknowledged } = found;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const messageId = `3EB0${index}X${Math.random().toString(16).slice(2)}`;
      unacknowledged.set(messageId, resolve);
      const timer = setTimeout(() => reject(new Error('not acknowledged')), ACK_DEADLINE_MS);
      await socket.sendMessage(to, { text }, { messageId });
      await promise;
      clearTimeout(timer);
      unacknowledged.delete(messageId);
    },
    close: async (index) => {
      await open.get(index)?.socket.end(undefined);
      open.delete(index);
    },
    received: () => received,
  };
}

class AccountStore {
  readonly #values = new Map<string, string>();
  readonly #latencyMs: number;
  #creds: string;

  constructor({ creds, preKeys }: PreparedAccount, latencyMs: number) {
    this.#latencyMs = latencyMs;
    this.#creds = JSON.stringify(creds, BufferJSON.replacer);
    for (const [id, pair] of Object.entries(preKeys)) {
      this.#values.set(`pre-key/${id}`, JSON.stringify(pair, BufferJSON.replacer));
    }
  }

  creds(): AuthenticationCreds {
    return JSON.parse(this.#creds, BufferJSON.reviver) as AuthenticationCreds;
  }

  async save(creds: AuthenticationCreds): Promise<void> {
    await pause(this.#latencyMs);
    this.#creds = JSON.stringify(creds, BufferJSON.replacer);
  }

  readonly get = async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) => {
    await pause(this.#latencyMs);
    const found: { [id: string]: SignalDataTypeMap[Type] } = {};
    for (const id of ids) {
      const text = this.#values.get(`${type}/${id}`);
      if (text !== undefined) found[id] = JSON.parse(text, BufferJSON.reviver) as SignalDataTypeMap[Type];
    }
    return found;
  };

  readonly set = async (data: SignalDataSet): Promise<void> => {
    await pause(this.#latencyMs);
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries ?? {})) {
        if (value === null) this.#values.delete(`${type}/${id}`);
        else this.#values.set(`${type}/${id}`, JSON.stringify(value, BufferJSON.replacer));
      }
    }
  };
}
