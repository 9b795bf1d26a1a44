import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  useMultiFileAuthState as readAuthState,
  type SignalDataSet,
  type SignalKeyStore,
  type UserFacingSocketConfig,
} from '@whiskeysockets/baileys';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { isOpen, openPlainSocket, pairByQr, type PlainSocket } from '../whatsapp/plainSocket.ts';
import { until } from '../whatsapp/until.ts';
import type { Clients, ClientsOptions } from './clients.ts';

/** Baileys' own defaults, where the simulator's tests have shorter ones. */
const ownTimings: Partial<UserFacingSocketConfig> = {
  connectTimeoutMs: 20_000,
  defaultQueryTimeoutMs: 60_000,
  keepAliveIntervalMs: 30_000,
  markOnlineOnConnect: true,
};
/** The time without a write after which the storage is taken to be at rest, in milliseconds. */
const AT_REST_MS = 500;

/**
 * Baileys as it is, on its own file storage. It needs a process in which nothing of libsignal is repaired. Stopped in
 * order, with its files at rest: what a kill does to them is another fault and not counted here.
 */
export function makePlainClients({ whatsApp, folder, onReceived }: ClientsOptions): Clients {
  const phones = new WhatsAppClient(whatsApp.controlUrl);
  const online = new Map<string, PlainSocket>();
  let writing = 0;
  let lastWriteMs = 0;

  const tracked = async (write: Promise<void>): Promise<void> => {
    writing += 1;
    try {
      await write;
    } finally {
      writing -= 1;
      lastWriteMs = performance.now();
    }
  };
  const readAccount = async (number: string) => {
    const { state, saveCreds } = await readAuthState(join(folder, number));
    const keys: SignalKeyStore = {
      get: async (type, ids) => state.keys.get(type, ids),
      set: async (data: SignalDataSet) => tracked(Promise.resolve(state.keys.set(data))),
    };
    return { account: { creds: state.creds, keys }, save: () => void tracked(saveCreds()) };
  };
  const follow = (number: string, socket: PlainSocket, save: () => void): void => {
    save();
    socket.socket.ev.on('creds.update', save);
    socket.socket.ev.on('messages.upsert', ({ messages }) => {
      for (const { key, message } of messages) {
        const text = message?.conversation ?? message?.extendedTextMessage?.text;
        if (typeof text === 'string' && key.fromMe !== true) onReceived({ number, text, key: undefined });
      }
    });
    online.set(number, socket);
  };

  return {
    pair: async (number) => {
      const { account, save } = await readAccount(number);
      const socket = await pairByQr(account, whatsApp, (qr) => phones.scan(number, qr), ownTimings);
      follow(number, socket, save);
    },
    send: async (number, to, text) => {
      await online.get(number)?.socket.sendMessage(`${to}@s.whatsapp.net`, { text });
    },
    stop: async () => {
      for (const socket of online.values()) socket.close();
      lastWriteMs = performance.now();
      await until(
        'files at rest',
        () => writing === 0 && performance.now() - lastWriteMs > AT_REST_MS,
        (isAtRest) => isAtRest,
      );
    },
    start: async () => {
      const open = async (number: string): Promise<void> => {
        const { account, save } = await readAccount(number);
        const socket = openPlainSocket(account, whatsApp, ownTimings);
        follow(number, socket, save);
        await socket.until('open', isOpen);
      };
      await Promise.all((await readdir(folder)).map(open));
    },
  };
}
