import { addTransactionCapability, BufferJSON, initAuthCreds, type SignalKeyStore } from '@whiskeysockets/baileys';
import { until } from '../whatsapp/until.ts';
import { isCaughtUp, isOpen, openPlainSocket, pairByQr, type PlainSocket } from '../whatsapp/plainSocket.ts';
import { silentLogger } from '../whatsapp/silentLogger.ts';
import { ANN, type SocketRoom } from '../worker/socket/socketRoom.ts';
import { CostMeter } from './sessionCosts.ts';

/** One way to keep a session, under the traffic of the bench. */
export interface Side {
  readonly name: string;
  /** The account's number. */
  readonly number: string;
  readonly meter: CostMeter;
  readonly pair: () => Promise<void>;
  readonly relogin: () => Promise<void>;
  readonly send: (to: string, text: string) => Promise<void>;
  /** Waits until so many messages have been received in all. */
  readonly received: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The socket room on the session store. */
export function ourSide(room: SocketRoom): Side {
  const meter = new CostMeter();
  room.onStore = (command, answer) => meter.observe(command, answer);
  return {
    name: 'Holdfast',
    number: ANN,
    meter,
    pair: () => room.pairByQr(),
    relogin: async () => {
      await room.socket?.close('end');
      await room.login();
    },
    send: async (to, text) => {
      const { outcome } = await room.send(text, undefined, to);
      if (outcome?.outcome !== 'acknowledged') throw new Error(`not sent: ${JSON.stringify(outcome)}`);
    },
    received: async (count) => {
      await until(
        `${count} messages`,
        () => room.texts().length,
        (length) => length >= count,
      );
    },
    close: async () => room.socket?.close('end'),
  };
}

/** What every item has around its value in a table with one key per item: the connection, type and id. */
const KEY_BYTES = 100;

/**
 * Unmodified Baileys whose keys are items of their own and whose credentials are one, each written as it changes: what a
 * port of `useMultiFileAuthState` to a table does.
 */
export function plainSide(room: SocketRoom, number: string): Side {
  const meter = new CostMeter();
  const values = new Map<string, string>();
  const store: SignalKeyStore = {
    get: async (type, ids) => {
      const found = ids.flatMap((id) => {
        const text = values.get(`${type}/${id}`);
        meter.read(text === undefined ? 0 : KEY_BYTES + text.length);
        return text === undefined ? [] : [[id, JSON.parse(text, BufferJSON.reviver) as unknown]];
      });
      return Object.fromEntries(found) as never;
    },
    set: async (data) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries)) {
          const text = value === null ? undefined : JSON.stringify(value, BufferJSON.replacer);
          meter.wrote(`${type}/${id}`, KEY_BYTES + (text?.length ?? 0));
          if (text === undefined) values.delete(`${type}/${id}`);
          else values.set(`${type}/${id}`, text);
        }
      }
    },
  };
  const account = {
    creds: initAuthCreds(),
    keys: addTransactionCapability(store, silentLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 }),
  };
  const server = room.whatsApp;
  let socket: PlainSocket | undefined;
  let earlier = 0;
  const follow = (plain: PlainSocket): PlainSocket => {
    plain.socket.ev.on('creds.update', () => {
      meter.wrote('creds', KEY_BYTES + JSON.stringify(account.creds, BufferJSON.replacer).length);
    });
    return plain;
  };
  const open = (): PlainSocket => follow(openPlainSocket(account, server));
  return {
    name: 'plain Baileys, one item per key',
    number,
    meter,
    pair: async () => {
      socket = await pairByQr(account, server, (qr) => room.client.scan(number, qr));
      follow(socket);
      // The account's credentials were updated in these sockets too, four times: pairing, two of the pre-keys, the
      // login.
      for (let update = 0; update < 4; update += 1) {
        meter.wrote('creds', KEY_BYTES + JSON.stringify(account.creds, BufferJSON.replacer).length);
      }
    },
    relogin: async () => {
      earlier += socket?.received.length ?? 0;
      socket?.close();
      socket = open();
      await socket.until('open', isOpen);
      await socket.until('the end of the offline queue', isCaughtUp);
    },
    send: async (to, text) => {
      await socket?.socket.sendMessage(to, { text });
    },
    received: async (count) => {
      await until(
        `${count} messages`,
        () => earlier + (socket?.received.length ?? 0),
        (length) => length >= count,
      );
    },
    close: async () => socket?.close(),
  };
}
