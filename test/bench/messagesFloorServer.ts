/**
 * The floor that the product is measured against: unmodified Baileys with its defaults, keys in memory, a few lines of HTTP in
 * front and a hook for what comes. Nothing is durable, nothing is signed, nothing is repeated.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BufferJSON,
  initAuthCreds,
  makeWASocket,
  proto,
  WA_CERT_DETAILS,
  type SignalDataSet,
  type SignalDataTypeMap,
  type WASocket,
} from '@whiskeysockets/baileys';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { silentLogger } from '../whatsapp/silentLogger.ts';
import { answerParent } from './childTalk.ts';

export type FloorServerAnswers = typeof answers;

const STATUSES = new Map<unknown, string>([
  [proto.WebMessageInfo.Status.SERVER_ACK, 'sent'],
  [proto.WebMessageInfo.Status.DELIVERY_ACK, 'delivered'],
  [proto.WebMessageInfo.Status.READ, 'read'],
]);
const sockets = new Map<string, WASocket>();
let [url, hookUrl, events] = ['', '', 0];

function hook(type: string, connectionId: string, data: object): void {
  events += 1;
  const id = `evt_${String(events).padStart(12, '0')}`;
  void fetch(hookUrl, { method: 'POST', body: JSON.stringify({ id, type, connectionId, data }) }).catch(
    () => undefined,
  );
}

function open(
  account: string,
  creds: ReturnType<typeof initAuthCreds>,
  keys: MemoryKeys,
  onQr: (qr: string) => void,
): void {
  const socket = makeWASocket({ waWebSocketUrl: url, auth: { creds, keys }, logger: silentLogger });
  sockets.set(account, socket);
  socket.ev.on('creds.update', (update) => void Object.assign(creds, update));
  socket.ev.on('connection.update', ({ qr, connection }) => {
    if (qr !== undefined) onQr(qr);
    if (connection === 'open') hook('connection.status', account, { status: 'online' });
    if (connection === 'close' && creds.me !== undefined) open(account, creds, keys, onQr);
  });
  socket.ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message, status } of messages) {
      const body = message?.conversation ?? message?.extendedTextMessage?.text;
      if (key.fromMe !== true && body) hook('message.received', account, { content: { text: { body } } });
      // A receipt that comes before the own message was told of is told with it.
      if (key.fromMe === true) tellStatus(account, key.id, status);
    }
  });
  socket.ev.on('messages.update', (updates) => {
    for (const { key, update } of updates) {
      tellStatus(account, key.id, update.status);
    }
  });
}

function tellStatus(account: string, messageId: unknown, word: unknown): void {
  const status = STATUSES.get(word);
  if (status !== undefined) hook('message.status', account, { messageId, status });
}

/** Keys as JSON in memory. */
class MemoryKeys {
  readonly #values = new Map<string, string>();

  readonly get = async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) => {
    const found: { [id: string]: SignalDataTypeMap[Type] } = {};
    for (const id of ids) {
      const text = this.#values.get(`${type}/${id}`);
      if (text !== undefined) found[id] = JSON.parse(text, BufferJSON.reviver) as SignalDataTypeMap[Type];
    }
    return found;
  };

  readonly set = async (data: SignalDataSet): Promise<void> => {
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries ?? {})) {
        if (value === null) this.#values.delete(`${type}/${id}`);
        else this.#values.set(`${type}/${id}`, JSON.stringify(value, BufferJSON.replacer));
      }
    }
  };
}

async function bodyOf(
  request: IncomingMessage,
): Promise<{ readonly account: string; readonly to: string; readonly text: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as { account: string; to: string; text: string };
}

const server = createServer((request, response) => {
  void (async () => {
    const { account, to, text } = await bodyOf(request);
    const sent = await sockets.get(account)?.sendMessage(`${to}@s.whatsapp.net`, { text });
    response.end(JSON.stringify({ id: sent?.key.id }));
  })().catch(() => response.writeHead(500).end());
});

const answers = {
  begin: async (place: { readonly webSocketUrl: string; readonly rootKey: string; readonly hookUrl: string }) => {
    silenceConsole();
    [url, hookUrl] = [place.webSocketUrl, place.hookUrl];
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(place.rootKey, 'hex');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pid: process.pid };
  },

  /** Opens a socket for a new account. Resolves with the text of its first QR code. */
  offer: ({ account }: { readonly account: string }): Promise<string> =>
    new Promise((resolve) => open(account, initAuthCreds(), new MemoryKeys(), resolve)),
};
answerParent(answers);
