import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { proto } from '@whiskeysockets/baileys';
import { WebSocketServer } from 'ws';
import { ClientSocket } from './clientSocket.ts';
import { makeControlApi } from './controlApi.ts';
import { trySessionsOnCopies } from './copySessions.ts';
import { Faults, type Strike } from './faults.ts';
import { idsOf, Logins } from './logins.ts';
import { child, node, type BinaryNode } from './node.ts';
import { Pairing } from './pairing.ts';
import { Phone } from './phone.ts';
import { answerQuery, failedQuery } from './queries.ts';
import { Relay } from './relay.ts';
import { loadWorld, saveWorld } from './savedState.ts';
import { Counters, type Stats } from './stats.ts';
import { lidOf, type Account, type LinkedDevice, type World } from './world.ts';

export interface SimulatorOptions {
  /** Port of the WebSocket; 0 takes any free one. */
  readonly port?: number;
  readonly controlPort?: number;
  /** Where the world survives a restart; in memory without. */
  readonly stateDir?: string;
}

const SAVE_DELAY_MS = 200;

/** A WhatsApp of one's own: the server that clients connect to, the phones, and the API that plays their owners. */
export class WhatsAppSimulator {
  readonly world: World;
  readonly faults = new Faults();
  readonly counters = new Counters();
  readonly relay: Relay;
  readonly pairing: Pairing;
  readonly logins: Logins;
  readonly #stateDir: string | undefined;
  readonly #sockets = new Set<ClientSocket>();
  /** Connections that a fault leaves without an answer. */
  readonly #hung = new Set<Duplex>();
  #saving: NodeJS.Timeout | undefined;
  #servers: readonly Server[] = [];
  webSocketUrl = '';
  controlUrl = '';

  constructor(options: SimulatorOptions) {
    trySessionsOnCopies();
    this.#stateDir = options.stateDir;
    this.world = loadWorld(options.stateDir);
    this.logins = new Logins(this.world, this.faults, this.counters);
    this.relay = new Relay({
      world: this.world,
      faults: this.faults,
      counters: this.counters,
      enqueue: (device, stanza) => {
        this.logins.enqueue(device, stanza);
        this.changed();
      },
      changed: () => this.changed(),
    });
    this.pairing = new Pairing(() => this.changed());
  }

  /** Public key of the authority, 32 bytes in hex: what clients pin. */
  get rootKey(): string {
    return Buffer.from(this.world.keys.authority.public).toString('hex');
  }

  async start(options: SimulatorOptions): Promise<void> {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
    const web = createServer((_request, response) => response.writeHead(426).end());
    web.on('upgrade', (request, stream, head) => {
      if (this.faults.take('no_upgrade', undefined)) {
        this.#hung.add(stream);
        return;
      }
      sockets.handleUpgrade(request, stream, head, (webSocket) => this.#welcome(webSocket));
    });
    const control = createServer(makeControlApi(this));
    this.#servers = [web, control];
    this.webSocketUrl = `ws://127.0.0.1:${await listen(web, options.port ?? 0)}/ws/chat`;
    this.controlUrl = `http://127.0.0.1:${await listen(control, options.controlPort ?? 0)}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    for (const stream of this.#hung) stream.destroy();
    await this.relay.quiet();
    clearTimeout(this.#saving);
    this.#saving = undefined;
    if (this.#stateDir !== undefined) saveWorld(this.world, this.#stateDir);
    await Promise.all(
      this.#servers.map((server) => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      }),
    );
  }

  /** Makes a phone. Returns the one that has the number already, if any. */
  async addPhone(number: string, name: string): Promise<{ readonly account: Account; readonly isNew: boolean }> {
    const known = this.world.accounts.get(number);
    if (known !== undefined) return { account: known, isNew: false };
    const lid = lidOf(number);
    const account: Account = {
      number,
      lid,
      name,
      phone: new Phone(number, lid),
      devices: new Map(),
      nextDevice: 1,
    };
    await account.phone.makePreKeys();
    this.world.accounts.set(number, account);
    this.changed();
    return { account, isNew: true };
  }

  /** The owner of the account unlinks a device: its socket is told, and later logins are refused. */
  removeDevice(account: Account, device: LinkedDevice): void {
    account.devices.delete(device.id);
    const socket = this.logins.socketOf(device);
    socket?.send(node('stream:error', { code: '401' }, [node('conflict', { type: 'device_removed' })]));
    socket?.close();
    this.changed();
  }

  /** Does something to live sockets at once. Returns how many it hit. */
  strike(strike: Strike): number {
    const sockets = this.logins.socketsOf(strike.number);
    for (const socket of sockets) {
      if (strike.kind === 'stream_error') {
        const { code, child: tag, type } = strike;
        const content = tag === undefined ? undefined : [node(tag, type === undefined ? {} : { type })];
        socket.send(node('stream:error', code === undefined ? {} : { code: String(code) }, content));
      } else if (strike.kind === 'failure') {
        socket.send(node('failure', strike.reason === undefined ? {} : { reason: String(strike.reason) }));
      } else if (strike.kind === 'stream_end') {
        socket.send(node('xmlstreamend'));
      } else if (strike.kind === 'redeliver') {
        const sent = socket.sentMessages.get(strike.id);
        if (sent !== undefined) socket.send(sent);
        continue;
      }
      socket.close();
    }
    return sockets.length;
  }

  stats(): Stats {
    const shown = [...this.world.accounts.values()].map((account): [string, number] => [
      account.number,
      account.phone.transcript.filter(({ fromMe }) => !fromMe).length,
    ]);
    return this.counters.report(Object.fromEntries(shown));
  }

  /** Something that must survive has changed. */
  changed(): void {
    const folder = this.#stateDir;
    if (folder === undefined || this.#saving !== undefined) return;
    this.#saving = setTimeout(() => {
      this.#saving = undefined;
      saveWorld(this.world, folder);
    }, SAVE_DELAY_MS);
  }

  #welcome(webSocket: ConstructorParameters<typeof ClientSocket>[0]): void {
    this.counters.sockets += 1;
    const socket = new ClientSocket(webSocket, this.world.keys, {
      onFinish: (from, clientStatic, payload) => this.#begin(from, clientStatic, payload),
      onNode: (from, stanza) => this.#handle(from, stanza),
      onClose: (from) => {
        this.#sockets.delete(from);
        this.pairing.forget(from);
        this.logins.leave(from);
      },
    });
    socket.deaf = this.faults.take('no_hello', undefined) !== undefined;
    this.#sockets.add(socket);
  }

  /** The handshake is done: a new device registers, a known one logs in. */
  #begin(socket: ClientSocket, clientStatic: Buffer, payload: proto.ClientPayload): void {
    const data = payload.devicePairingData;
    if (payload.username || !data) {
      this.logins.logIn(socket, clientStatic, payload);
      return;
    }
    const { eIdent, eRegid, eSkeyId, eSkeyVal, eSkeySig } = data;
    if (!eIdent || !eRegid || !eSkeyId || !eSkeyVal || !eSkeySig) {
      socket.terminate();
      return;
    }
    socket.registration = {
      noiseKey: clientStatic,
      identity: eIdent,
      registrationId: Buffer.from(eRegid).readUInt32BE(),
      signedPreKey: { id: Buffer.from(eSkeyId).readUIntBE(0, 3), value: eSkeyVal, signature: eSkeySig },
    };
    this.pairing.offer(socket);
  }

  #handle(socket: ClientSocket, stanza: BinaryNode): void {
    const { device } = socket;
    const { id = '', type, to = '' } = stanza.attrs;
    if (stanza.tag === 'iq') this.#answer(socket, stanza);
    else if (device === undefined) return;
    else if (stanza.tag === 'message') {
      if (socket.replaced) {
        this.counters.overlap += 1;
        return;
      }
      const answer = this.relay.accept(device, stanza);
      if (answer !== undefined) socket.send(answer);
    } else if (stanza.tag === 'receipt') {
      this.logins.acknowledge(device, 'message', id, idsOf(stanza));
      socket.send(node('ack', { class: 'receipt', id, from: to, ...(type === undefined ? {} : { type }) }));
      this.relay.receipt(device, stanza);
    } else if (stanza.tag === 'ack') {
      this.logins.acknowledge(device, stanza.attrs['class'] ?? '', id);
    } else if (stanza.tag === 'presence' && type !== undefined) {
      this.counters.presence.set(device.number, type);
    }
    this.changed();
  }

  #answer(socket: ClientSocket, query: BinaryNode): void {
    const { id = '', xmlns = '', type = '' } = query.attrs;
    if (type !== 'get' && type !== 'set') return;
    const number = socket.device?.number;
    if (this.faults.take('iq_hang', number, (fault) => fault.xmlns === xmlns)) return;
    const failure = this.faults.take('iq_error', number, (fault) => fault.xmlns === xmlns);
    if (failure !== undefined) {
      socket.send(failedQuery(id, failure.code));
      return;
    }
    const registration = child(query, 'link_code_companion_reg');
    if (registration !== undefined) {
      this.#answerCodePairing(socket, id, registration);
      return;
    }
    const context = {
      world: this.world,
      counters: this.counters,
      onActive: (active: ClientSocket) => void this.#activate(active),
      onRemoveDevice: (removed: LinkedDevice) => {
        const account = this.world.accounts.get(removed.number);
        if (account !== undefined) this.removeDevice(account, removed);
      },
    };
    socket.send(answerQuery(context, socket, query));
  }

  async #activate(socket: ClientSocket): Promise<void> {
    const { device } = socket;
    const account = device && this.world.accounts.get(device.number);
    if (device === undefined || account === undefined) return;
    device.logins += 1;
    if (device.logins === 1) await this.relay.shareHistory(account, device);
    this.logins.activate(socket);
  }

  #answerCodePairing(socket: ClientSocket, id: string, registration: BinaryNode): void {
    const result = (content?: BinaryNode[]): void =>
      socket.send(node('iq', { from: 's.whatsapp.net', type: 'result', id }, content));
    if (registration.attrs['stage'] === 'companion_hello') {
      const ref = this.pairing.hello(socket, registration);
      result([node('link_code_companion_reg', {}, [node('link_code_pairing_ref', {}, Buffer.from(ref))])]);
    } else {
      result();
      this.pairing.finish(socket, registration);
    }
  }
}

/** Starts a simulator in this process. */
export async function startWhatsApp(options: SimulatorOptions = {}): Promise<WhatsAppSimulator> {
  const simulator = new WhatsAppSimulator(options);
  await simulator.start(options);
  return simulator;
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
