import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { proto } from '@whiskeysockets/baileys';
import { WebSocketServer } from 'ws';
import { makeSteadyServer } from '../../infra/local/steadyServer.ts';
import { AppState } from './appState.ts';
import { AppStates } from './appStateServer.ts';
import { Calls } from './calls.ts';
import { Channels } from './channels.ts';
import { ClientSocket } from './clientSocket.ts';
import { makeControlApi } from './controlApi.ts';
import { DeviceNotices } from './deviceNotices.ts';
import { Faults, strikeSockets, type Strike } from './faults.ts';
import { Groups } from './groups.ts';
import { idsOf, Logins } from './logins.ts';
import { MediaLog } from './media/mediaLog.ts';
import { makeMediaHandler } from './media/mediaServer.ts';
import { MediaTokens } from './media/mediaTokens.ts';
import { PhoneFiles } from './media/phoneFiles.ts';
import { Pictures } from './media/pictures.ts';
import { Newsletters } from './newsletters.ts';
import { child, node, type BinaryNode } from './node.ts';
import { Pairing } from './pairing.ts';
import { Phone } from './phone.ts';
import { PhoneTraffic } from './phoneTraffic.ts';
import { Profiles } from './profiles.ts';
import { answerQuery, failedQuery, type QueryContext } from './queries.ts';
import { Relay, toChatState } from './relay.ts';
import { loadWorld, SavedState } from './savedState.ts';
import type { Simulated } from './simulated.ts';
import { silenceConsole } from './silenceConsole.ts';
import { Counters, type Stats } from './stats.ts';
import { lidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteAccount, noteAppState, noteDevice, notePending } from './worldRecords.ts';

export interface SimulatorOptions {
  /** Port of the WebSocket and the media; 0 takes any free one. */
  readonly port?: number;
  readonly controlPort?: number;
  /** Port of the second media host. */
  readonly fallbackPort?: number;
  /** Where the world survives a restart; in memory without. */
  readonly stateDir?: string;
  /** Whether a phone gives a device the keys of what devices share when it is linked, as real ones do; else when it is told to. */
  readonly givesKeys?: boolean;
}

/** How long an idle connection to the control API is kept, in milliseconds. */
const CONTROL_KEPT_MS = 65_000;

/** A WhatsApp of one's own: the server that clients connect to, the phones, and the API that plays their owners. */
export class WhatsAppSimulator implements Simulated {
  readonly world: World;
  readonly faults = new Faults();
  readonly counters = new Counters();
  readonly relay: Relay;
  readonly phones: PhoneTraffic;
  readonly groups: Groups;
  readonly pairing: Pairing;
  readonly logins: Logins;
  readonly calls: Calls;
  readonly appStates: AppStates;
  readonly mediaLog = new MediaLog();
  readonly tokens: MediaTokens;
  readonly files: PhoneFiles;
  readonly newsletters: Newsletters;
  readonly channels: Channels;
  readonly pictures: Pictures;
  readonly profiles: Profiles;
  readonly #givesKeys: boolean;
  readonly #notices: DeviceNotices;
  readonly #state: SavedState | undefined;
  readonly #sockets = new Set<ClientSocket>();
  /** Connections that a fault leaves without an answer. */
  readonly #hung = new Set<Duplex>();
  #servers: readonly Server[] = [];
  /** Where clients upload and fetch files, host and port each: the second has the same files, on a port of its own. */
  readonly mediaHosts: string[] = [];
  controlUrl = '';

  constructor(options: SimulatorOptions) {
    const { stateDir } = options;
    this.#givesKeys = options.givesKeys === true;
    this.#state = stateDir === undefined ? undefined : new SavedState(stateDir);
    const world = loadWorld(stateDir, this.#state);
    const { faults, counters } = this;
    const enqueue = (device: LinkedDevice, stanza: BinaryNode): void => this.logins.enqueue(device, stanza);
    this.world = world;
    this.logins = new Logins(world, faults, counters);
    this.groups = new Groups({ world, enqueue });
    this.calls = new Calls(world, enqueue);
    this.profiles = new Profiles(world, enqueue);
    this.appStates = new AppStates({ world, faults, enqueue });
    this.#notices = new DeviceNotices(world, enqueue);
    this.relay = new Relay({
      world,
      faults,
      counters,
      enqueue,
      toPhone: (account, stanza) => this.phones.receive(account, stanza),
      post: (account, message) =>
        message.attrs['type'] === 'reaction'
          ? this.channels.react(account.number, message)
          : this.newsletters.accept(account, message),
      isBlocked: (by, account) => this.profiles.isBlocked(by, account),
    });
    this.tokens = new MediaTokens(faults, this.mediaLog);
    const host = (): string => this.mediaHosts[0] ?? '';
    this.files = new PhoneFiles({ world, faults, log: this.mediaLog, host, enqueue });
    this.newsletters = new Newsletters(this.files);
    this.channels = new Channels(this.newsletters);
    this.pictures = new Pictures({ world, host, enqueue });
    this.phones = new PhoneTraffic({
      world,
      counters,
      files: this.files,
      route: (copy) => this.relay.route(copy),
      receipt: (reader, receipt) => this.relay.receipt(reader, receipt),
      answerDelayMs: ({ number }) => faults.find('slow_phone', number)?.ms ?? 0,
    });
    this.pairing = new Pairing((account, device) => {
      noteAccount(world, account);
      noteDevice(world, account, device);
      this.#notices.tell('add', account, device);
    });
  }

  get webSocketUrl(): string {
    return `ws://${this.mediaHosts[0]}/ws/chat`;
  }

  /** Public key of the authority, 32 bytes in hex: what clients pin. */
  get rootKey(): string {
    return Buffer.from(this.world.keys.authority.public).toString('hex');
  }

  /** Listens on both ports. Throws, listening on neither, when one is taken. */
  async start(options: SimulatorOptions): Promise<void> {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
    const surprised = (error: unknown): void => this.counters.noteInternalError(error);
    const media = {
      store: this.world.files,
      tokens: this.tokens,
      faults: this.faults,
      log: this.mediaLog,
      hosts: this.mediaHosts,
    };
    const [web, fallback] = [0, 1].map((host) => makeSteadyServer(makeMediaHandler(media, host), surprised));
    if (web === undefined || fallback === undefined) return;
    web.on('upgrade', (request, stream, head) => {
      stream.on('error', () => stream.destroy());
      const refusal = this.faults.take('refuse_upgrade', undefined);
      if (refusal !== undefined) {
        stream.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      if (this.faults.take('no_upgrade', undefined)) {
        this.#hung.add(stream);
        stream.once('close', () => this.#hung.delete(stream));
        return;
      }
      sockets.handleUpgrade(request, stream, head, (webSocket) => this.#welcome(webSocket));
    });
    const control = makeSteadyServer(makeControlApi(this), surprised);
    // A client must not lose a request to a connection that was closed as idle while a thousand phones kept the process busy.
    control.keepAliveTimeout = CONTROL_KEPT_MS;
    this.#servers = [web, control, fallback];
    try {
      this.mediaHosts.push(`127.0.0.1:${await listen(web, options.port ?? 0)}`);
      this.mediaHosts.push(`127.0.0.1:${await listen(fallback, options.fallbackPort ?? 0)}`);
      this.controlUrl = `http://127.0.0.1:${await listen(control, options.controlPort ?? 0)}`;
    } catch (error) {
      await this.#closeServers();
      throw error;
    }
    // The folder holds, from the first start on, the authority that clients were told to pin.
    this.#state?.save();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    for (const stream of this.#hung) stream.destroy();
    await this.phones.quiet();
    await this.newsletters.quiet();
    await this.#closeServers();
    this.#state?.close();
    this.world.files.close();
  }

  /** Makes a phone. Returns the one that has the number already, if any. */
  async addPhone(number: string, name: string): Promise<Account> {
    const known = this.world.accounts.get(number);
    if (known !== undefined) return known;
    const lid = lidOf(number);
    const phone = new Phone(number, lid, undefined, this.world.changes);
    const noteState = (): void => noteAppState(this.world, { number, appState });
    const appState = new AppState(undefined, noteState);
    const account: Account = { number, lid, name, phone, devices: new Map(), nextDevice: 1, ahead: [], appState };
    this.world.accounts.set(number, account);
    phone.makePreKeys();
    noteAccount(this.world, account);
    return account;
  }

  /** The owner of the account unlinks a device: its socket is told, and later logins are refused. */
  removeDevice(account: Account, device: LinkedDevice): void {
    account.devices.delete(device.id);
    noteDevice(this.world, account, device);
    for (const pending of device.pending) notePending(this.world, device, pending, false);
    this.#notices.tell('remove', account, device);
    const socket = this.logins.socketOf(device);
    socket?.send(node('stream:error', { code: '401' }, [node('conflict', { type: 'device_removed' })]));
    socket?.close();
  }

  /** The owner of an account sets WhatsApp up again on the phone. */
  async reinstall(account: Account): Promise<void> {
    await account.phone.reinstall();
    this.#notices.tellIdentity(account);
  }

  /** Does something to live sockets at once. Returns how many it hit. */
  strike(strike: Strike): number {
    return strikeSockets(strike, this.logins.socketsOf(strike.number));
  }

  stats(): Stats {
    const shown = [...this.world.accounts.values()].map((account): [string, number] => [
      account.number,
      account.phone.transcript.filter(({ fromMe }) => !fromMe).length,
    ]);
    return this.counters.report(Object.fromEntries(shown));
  }

  async #closeServers(): Promise<void> {
    await Promise.all(
      this.#servers
        .filter(({ listening }) => listening)
        .map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
    );
  }

  #welcome(webSocket: ConstructorParameters<typeof ClientSocket>[0]): void {
    this.counters.sockets += 1;
    const socket = new ClientSocket(webSocket, this.world.keys, {
      onFinish: (from, clientStatic, payload) => this.#begin(from, clientStatic, payload),
      onNode: (from, stanza) => {
        try {
          this.#handle(from, stanza);
        } catch (error) {
          // Not the client's fault, so it must not look like a lost connection.
          this.counters.noteInternalError(error);
        }
      },
      onClose: (from) => {
        this.#sockets.delete(from);
        this.pairing.forget(from);
        this.logins.leave(from);
      },
      latencyMs: (of) => this.faults.find('latency', of.device?.number)?.ms ?? 0,
    });
    socket.deaf = this.faults.take('no_hello', undefined) !== undefined;
    this.#sockets.add(socket);
  }

  /** The handshake is done: a new device registers, a known one logs in. */
  #begin(socket: ClientSocket, clientStatic: Buffer, payload: proto.ClientPayload): void {
    const data = payload.devicePairingData;
    if (this.logins.refusesVersion(socket, payload)) return;
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
    if (stanza.tag === 'iq') this.#answer(socket, stanza);
    else if (socket.device !== undefined) this.#handleTraffic(socket, socket.device, stanza);
    else if (stanza.tag === 'ack') this.pairing.acknowledge(socket, stanza);
  }

  #handleTraffic(socket: ClientSocket, device: LinkedDevice, stanza: BinaryNode): void {
    const { id = '', type, to = '' } = stanza.attrs;
    const account = this.world.accounts.get(device.number);
    // What a device sends after it was unlinked goes nowhere.
    if (account?.devices.get(device.id) !== device) return;
    if (stanza.tag === 'message') {
      if (socket.replaced) {
        this.counters.overlap += 1;
        return;
      }
      const answer = this.relay.accept(device, stanza);
      if (answer !== undefined) socket.send(answer);
    } else if (stanza.tag === 'receipt') {
      this.logins.acknowledge(device, 'message', id, idsOf(stanza));
      socket.send(node('ack', { class: 'receipt', id, from: to, ...(type === undefined ? {} : { type }) }));
      this.relay.receipt({ account, device: device.id }, stanza);
    } else if (stanza.tag === 'ack') {
      const { class: acked = '', error } = stanza.attrs;
      this.logins.acknowledge(device, acked, id);
      if (error !== undefined) this.counters.countRefusal(error);
    } else if (stanza.tag === 'presence' && type === 'subscribe') {
      const word = this.profiles.presenceFor(to);
      if (word !== undefined) socket.send(word);
    } else if (stanza.tag === 'presence' && type !== undefined) {
      this.counters.presence.set(device.number, type);
    } else if (stanza.tag === 'call') {
      socket.send(this.calls.accept(device, stanza));
    } else if (stanza.tag === 'chatstate') {
      this.counters.noteChatState(device.number, toChatState(stanza));
      this.relay.chatState(device, stanza, (to, state) => this.logins.tell(to, state));
    }
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
    if (registration === undefined) socket.send(answerQuery(this.#queryContext(), socket, query));
    else this.#answerCodePairing(socket, id, registration);
  }

  #queryContext(): QueryContext {
    return {
      world: this.world,
      counters: this.counters,
      accountOf: (asked) => this.faults.accountOf(asked),
      lockOf: (number) => this.faults.find('time_lock', number),
      mediaConnection: (number) => this.tokens.answer(number, this.mediaHosts),
      pictures: (device, query) => this.pictures.answer(device, query),
      groups: (device, query) => this.groups.answer(device, query),
      profiles: this.profiles,
      channels: this.channels,
      appState: (device, query) => this.appStates.answer(device, query),
      passkey: (socket, query) => this.pairing.passkeys.answer(socket, query),
      onDevicesAsked: (asker, number) => {
        this.#notices.watch(asker, number);
      },
      onActive: (socket) => {
        this.#activate(socket).catch((error: unknown) => this.counters.noteInternalError(error));
      },
      onRemoveDevice: (device) => {
        const account = this.world.accounts.get(device.number);
        if (account !== undefined) this.removeDevice(account, device);
      },
    };
  }

  async #activate(socket: ClientSocket): Promise<void> {
    const { device } = socket;
    const account = device && this.world.accounts.get(device.number);
    if (device === undefined || account === undefined) return;
    device.logins += 1;
    noteDevice(this.world, account, device);
    if (device.logins === 1) await this.phones.shareHistory(account, device);
    if (device.logins === 1 && this.#givesKeys) await this.phones.shareAppStateKey(account, device);
    this.logins.activate(socket);
  }

  #answerCodePairing(socket: ClientSocket, id: string, registration: BinaryNode): void {
    const result = (content?: BinaryNode[]): void =>
      socket.send(node('iq', { from: WHATSAPP, type: 'result', id }, content));
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
  // The phones use libsignal, which prints their sessions.
  silenceConsole();
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
