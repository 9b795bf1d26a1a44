import {
  getBinaryNodeChild,
  initAuthCreds,
  makeWASocket,
  type AuthenticationCreds,
  type BinaryNode,
  type ConnectionState,
} from '@whiskeysockets/baileys';
import type { Evidence } from '../../shared/connection/liveness.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { withoutDevice } from '../../shared/kernel/jid.ts';
import type { Release } from '../../shared/kernel/scope.ts';
import { Acknowledgements } from './sending/acknowledgements.ts';
import { AppliedSettings } from './inbound/appliedSettings.ts';
import { toAppStateKeys } from './wire/appStateKeys.ts';
import { makeBaileysConfiguration } from './repairs/baileysConfiguration.ts';
import type { ConnectionSocket, LookUp, SendOutcome, SendRequest } from './port/connectionSocket.ts';
import { CallGroups } from './people/callGroups.ts';
import { CredentialSaves } from './signal/credentialSaves.ts';
import { DeviceLists } from './sending/deviceLists.ts';
import { letThrough } from './signal/directKeys.ts';
import { DurableRepository } from './signal/durableRepository.ts';
import { FactsInOrder } from './inbound/factsInOrder.ts';
import { guardFrames } from './frameGate.ts';
import { GroupLookUps } from './sending/groupLookUps.ts';
import { InboundOrder } from './inbound/inboundOrder.ts';
import { KeyAnswers } from './sending/keyAnswers.ts';
import { Outgoing } from './sending/outgoing.ts';
import { Pairing } from './pairing/pairing.ts';
import { findOtherNames } from './people/contactNames.ts';
import { Placeholders } from './inbound/placeholders.ts';
import { Receipts } from './inbound/receipts.ts';
import { Retries } from './inbound/retries.ts';
import { Probe } from './probe.ts';
import { rawSocketOf, type Baileys } from './rawSocketOf.ts';
import { makeSessionKeys } from './signal/sessionKeys.ts';
import { SessionRenewals } from './signal/sessionRenewals.ts';
import { SocketEvidence } from './socketEvidence.ts';
import type { OpenSocketOptions } from './port/socketOptions.ts';
import { SymptomError, toCutCause, toSocketClose } from './port/toSocketClose.ts';
import { isFromOwnAccount, type Me } from './wire/envelope.ts';
import { toMessageFacts, toNewsletterPost } from './wire/messageFacts.ts';
import { toMessage, toPlaintext, type Plaintext } from './wire/plaintext.ts';
import { toLinkedAccount } from './wire/toLinkedAccount.ts';
import { UnrecordedSends } from './sending/unrecordedSends.ts';
import { watchRefusal } from './watchRefusal.ts';

/** Opens one socket. Throws when the session holds no credentials for a login. What happens next arrives through `emit`. */
export function openSocket(options: OpenSocketOptions): ConnectionSocket {
  return new BaileysSocket(options);
}

class BaileysSocket implements ConnectionSocket {
  readonly generation: number;
  readonly #options: OpenSocketOptions;
  readonly #credentials: AuthenticationCreds;
  readonly #repository: DurableRepository;
  readonly #renewals: SessionRenewals;
  readonly #devices: DeviceLists;
  readonly #acknowledgements: Acknowledgements;
  readonly #evidence: SocketEvidence;
  readonly #probe: Probe;
  readonly #socket: Baileys;
  readonly #inbound: InboundOrder;
  readonly #outgoing: Outgoing;
  readonly #unrecorded: UnrecordedSends;
  readonly #facts: FactsInOrder;
  readonly #saves: CredentialSaves;
  #caughtUp = false;
  readonly #whenCaughtUp = Promise.withResolvers<void>();
  #isClosed = false;
  readonly #pairing: Pairing | undefined;
  readonly #placeholders: Placeholders;
  readonly #retries: Retries;
  readonly #settings: AppliedSettings;
  #isPairing: boolean;
  readonly #closed: Promise<void>;
  readonly #forgetSession: () => void;
  #resolveClosed: () => void = () => undefined;
  #endLoginDeadline: Release | undefined;

  constructor(options: OpenSocketOptions) {
    this.#options = options;
    this.generation = options.generation;
    this.#acknowledgements = new Acknowledgements(options.clock.monotonicMs);
    this.#unrecorded = new UnrecordedSends(options.clock);
    this.#facts = new FactsInOrder(options, () => this.#me());
    this.#isPairing = options.pairing !== undefined;
    const stored = options.session.credentials as AuthenticationCreds | undefined;
    if (!this.#isPairing && stored === undefined) throw new Error('there are no credentials to log in with');
    // Made for this pairing and kept in memory until it succeeds: half a pairing can never be logged in with.
    this.#credentials = this.#isPairing || stored === undefined ? initAuthCreds() : stored;
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const cut = (cause: unknown): void => this.#cut(cause);
    this.#saves = new CredentialSaves(options.session, cut);
    const keys = makeSessionKeys(options.session, options.gate, cut);
    const { connection, clock, metrics } = options;
    const owner = connection.connectionId;
    this.#renewals = new SessionRenewals({ owner, monotonicMs: clock.monotonicMs, metrics });
    const keyAnswers = new KeyAnswers(clock.monotonicMs);
    const isUsable = (user: string, device: number): boolean => keyAnswers.isUsable(user, device);
    this.#devices = new DeviceLists({ keys, nowMs: clock.nowMs, isUsable });
    this.#repository = new DurableRepository({
      owner,
      keys,
      gate: options.gate,
      renewals: this.#renewals,
      publish: (stanza, padded) => this.#publishMessage(stanza, padded),
      cut,
    });
    this.#retries = new Retries(options, {
      socket: () => this.#socket,
      me: () => this.#me(),
      otherNameOf: (jid) => this.#otherNameOf(jid),
      welcome: (deviceJid) => this.#welcomeNewSession(deviceJid),
    });
    const groups = new GroupLookUps((group) => this.#retries.members.ask(group));
    this.#socket = makeWASocket(
      makeBaileysConfiguration(options, {
        auth: { creds: this.#credentials, keys },
        makeSignalRepository: this.#repository.make,
        userDevicesCache: this.#devices,
        ...this.#retries.forBaileys,
        cachedGroupMetadata: groups.find,
      }),
    );
    // Baileys makes messages of calls, aside and from whatever the caller wrote: where that fails, it ends the process.
    this.#socket.ev.removeAllListeners('call');
    letThrough(this.#socket.authState.keys, keys);
    const raw = rawSocketOf(this.#socket);
    if (raw === null) throw new Error('Baileys has not made its WebSocket');
    options.scope.hold('socket', () => {
      raw.terminate();
      void this.#socket.end(new Error('released by its owner'));
    });
    keyAnswers.watch(options.scope, this.#socket.ws);
    guardFrames(raw, options.gate, this.#saves);
    watchRefusal(raw, options.logger, cut);
    this.#inbound = new InboundOrder(this.#socket.ws, cut, undefined, clock.monotonicMs);
    this.#evidence = new SocketEvidence(options, this.#inbound, this.#acknowledgements);
    this.#evidence.watch(raw);
    this.#probe = new Probe((stanza) => this.#socket.query(stanza), options.config.onlineQueryTimeoutMs);
    this.#forgetSession = options.session.onFailure(cut);
    this.#outgoing = new Outgoing(options, {
      socket: this.#socket,
      groups,
      acknowledgements: this.#acknowledgements,
      devices: this.#devices,
      keyAnswers,
      me: () => this.#me(),
    });
    this.#pairing = this.#makePairing();
    this.#placeholders = new Placeholders({
      socket: this.#socket,
      acknowledgements: this.#acknowledgements,
      serverAckTimeoutMs: options.config.serverAckTimeoutMs,
      me: () => this.#me(),
      caughtUp: this.#whenCaughtUp.promise,
      clock: options.clock,
      random: options.random,
      logger: options.logger,
      metrics,
      signal: options.scope.signal,
    });
    this.#settings = new AppliedSettings(options, {
      socket: this.#socket,
      handled: () => this.#inbound.idle(),
      publish: (facts) => this.#facts.publish(facts),
      isInGroup: new CallGroups({
        members: this.#retries.members,
        otherNameOf: (jid) => this.#otherNameOf(jid),
        monotonicMs: options.clock.monotonicMs,
      }).isIn,
    });
    this.#listen();
  }

  async send(request: SendRequest): Promise<SendOutcome> {
    const { stanzaId, recorded } = request;
    if (recorded !== undefined) this.#unrecorded.hold(stanzaId, recorded);
    if (!this.#caughtUp || this.#isClosed) return { outcome: 'unknown' };
    return this.#outgoing.send(request);
  }

  readonly lookUpsFor = (to: string): Promise<ReadonlySet<LookUp>> => this.#outgoing.lookUpsFor(to);

  readonly chatOf = (to: string): Promise<string> => this.#outgoing.chatOf(to);

  async close(kind: 'end' | 'logout'): Promise<void> {
    if (kind === 'logout') {
      await withDeadline('logging out', deadlines.socketLogout.ms, () => this.#socket.logout()).catch(
        (error: unknown) => this.#options.logger.warn('logout not confirmed', { error }),
      );
    }
    // The stanza in hand is finished, those behind it come again: a step that is committed later would meet the next socket.
    this.#inbound.stop();
    const finished = withDeadline('the stanza in hand', deadlines.socketClose.ms, () => this.#inbound.settled());
    const settled = [this.#facts.settled(), this.#saves.settled(), finished];
    await withDeadline('facts on their way', deadlines.socketSettle.ms, () => Promise.allSettled(settled)).catch(
      (error: unknown) => this.#options.logger.warn('socket closed with work unfinished', { error }),
    );
    this.#facts.abandon();
    void this.#socket.end(new Error('closed by its owner'));
    this.#options.scope.timeout(deadlines.socketClose.ms, () => this.#terminate());
    await this.#closed;
    await this.#writeSession();
  }

  readonly evidence = (nowMonotonicMs: number): Evidence => this.#evidence.at(nowMonotonicMs);

  readonly probe = (): void => {
    if (!this.#isClosed) this.#probe.ask();
  };

  /** Steps of receiving that wait in memory. They may be lost, so a worker that must not write leaves them. */
  async #writeSession(): Promise<void> {
    const { session, gate, logger } = this.#options;
    if (!gate.isOpen()) return;
    await session.flush().catch((error: unknown) => logger.warn('steps of receiving were not written', { error }));
  }

  #makePairing(): Pairing | undefined {
    const { pairing, session, gate, config, clock, random, emit, generation } = this.#options;
    if (pairing === undefined) return undefined;
    return new Pairing({
      request: pairing,
      socket: this.#socket,
      inbound: this.#inbound,
      credentials: this.#credentials,
      nowMs: clock.nowMs,
      random,
      queryTimeoutMs: config.pairingQueryTimeoutMs,
      offer: (offer) => {
        this.#evidence.enter('pairing');
        emit({ type: 'pairing_offered', generation, offer });
      },
      store: (credentials) => {
        gate.assertOpen();
        return session.storeNewCredentials(credentials);
      },
      paired: () => {
        this.#isPairing = false;
        this.#evidence.enter('opening');
        emit({ type: 'paired', generation, account: toLinkedAccount(this.#credentials) });
      },
      cut: (cause) => this.#cut(cause),
    });
  }

  #listen(): void {
    const { ws, ev } = this.#socket;
    const { scope, config } = this.#options;
    scope.hold('other', () => {
      // One that closed by itself still works off what it has received.
      if (!this.#isClosed) this.#inbound.stop();
      this.#finish();
    });
    scope.listen(ev, 'connection.update', (update: Partial<ConnectionState>) => this.#onUpdate(update));
    scope.listen(ev, 'creds.update', () => this.#saveCredentials());
    this.#devices.watchOwn(scope, ws, () => Object.values(this.#me()));
    scope.listen(ws, 'CB:ack,class:message', ({ attrs }: BinaryNode) => {
      this.#acknowledgements.arrive(attrs['id'] ?? '', attrs['error']);
    });
    this.#inbound.insertBefore('CB:message', async (stanza) => {
      this.#repository.noteMessage(stanza);
      const post = toNewsletterPost(stanza);
      if (post !== undefined) await this.#tell(stanza, post);
      this.#retries.onMessage(stanza);
      return this.#placeholders.take(stanza);
    });
    this.#inbound.insertBefore('CB:call', (stanza) => this.#settings.onCall(stanza));
    const receipts = new Receipts({
      retries: this.#retries,
      socket: this.#socket,
      logger: this.#options.logger,
      me: () => this.#me(),
      otherNameOf: (jid) => this.#otherNameOf(jid),
      unrecorded: this.#unrecorded,
      publish: (facts) => this.#facts.publish(facts),
      failed: (error) => {
        if (!this.#isClosed) this.#cut(error);
      },
    });
    this.#inbound.insertBefore('CB:receipt', (stanza) => receipts.onReceipt(stanza));
    if (!this.#isPairing) this.#inbound.insertBefore('CB:notification', (stanza) => this.#onNotification(stanza));
    if (!this.#isPairing) {
      // Baileys waits for `<success>` for ever: pings are answered and keep the socket alive.
      const late = (): void => this.#cut(new SymptomError('never_success', 'no login in time'));
      this.#endLoginDeadline = scope.timeout(config.openWithinMs, late);
    }
  }

  #onUpdate(update: Partial<ConnectionState>): void {
    const { emit, generation, scope, logger } = this.#options;
    if (update.qr !== undefined) this.#pairing?.onRegistered(update.qr);
    if (update.connection === 'open') {
      void this.#endLoginDeadline?.();
      this.#endLoginDeadline = undefined;
      this.#evidence.enter('open');
      this.#settings.announce(this.#credentials.me?.name);
      emit({ type: 'socket_opened', generation, account: toLinkedAccount(this.#credentials) });
    }
    if (update.receivedPendingNotifications === true) {
      // Said when the last waiting stanza has come; sends must not begin before it is handled (Signal sessions settle).
      void this.#inbound.idle().then(() => {
        if (this.#isClosed) return;
        this.#caughtUp = true;
        this.#whenCaughtUp.resolve();
        emit({ type: 'caught_up', generation });
      });
    }
    if (update.connection === 'close') {
      this.#finish();
      const close = { ...toSocketClose(update.lastDisconnect?.error), wasLogin: this.#pairing === undefined };
      emit({ type: 'socket_closed', generation, close });
      scope.close().catch((error: unknown) => logger.error('a socket left something behind', { error }));
    }
  }

  /** Nothing comes any more, and nobody need wait for it. */
  #finish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settings.end();
    this.#acknowledgements.abandon();
    this.#forgetSession();
    this.#resolveClosed();
  }

  /** Somebody who set WhatsApp up again has new keys: Baileys makes a new session, which must not wait for a failure. */
  async #onNotification(stanza: BinaryNode): Promise<undefined> {
    if (stanza.attrs['type'] === 'w:gp2') this.#retries.members.forget(stanza.attrs['from'] ?? '');
    if (stanza.attrs['type'] !== 'encrypt' || getBinaryNodeChild(stanza, 'identity') === undefined) return;
    await this.#welcomeNewSession(stanza.attrs['from'] ?? '');
  }

  async #otherNameOf(jid: string): Promise<string | undefined> {
    return (await findOtherNames(this.#options.session, [jid], this.#me())).get(jid);
  }

  /** Under both of its addresses: the session is kept under one, and asked for under the other. */
  async #welcomeNewSession(jid: string): Promise<void> {
    const other = await this.#otherNameOf(withoutDevice(jid));
    for (const address of [jid, other]) if (address) this.#renewals.welcome(address);
  }

  async #publishMessage(stanza: BinaryNode, padded: Uint8Array): Promise<void> {
    const me = this.#me();
    // Nobody else's message is decoded for them: what strangers seal costs one look at its fields.
    const own = isFromOwnAccount(stanza, me) ? toMessage(padded) : undefined;
    await this.#storeAppStateKeys(toAppStateKeys(stanza, own, me));
    await this.#tell(stanza, toPlaintext(padded));
  }

  /** Publishes what a message says, and keeps what cannot be shown of it yet, before its receipt leaves. */
  async #tell(stanza: BinaryNode, plaintext: Plaintext): Promise<void> {
    const told = toMessageFacts(stanza, plaintext, this.#me(), this.#placeholders.stanzaOf);
    const published = await this.#settings.publish(
      stanza,
      told.map(({ fact }) => fact),
    );
    if (published === 'dropped') return;
    for (const { fact, unshown } of told) {
      if (unshown !== undefined) await this.#options.session.keepPlaintext(fact.key, unshown);
    }
  }

  async #storeAppStateKeys(keys: ReturnType<typeof toAppStateKeys>): Promise<void> {
    const newest = Object.keys(keys).at(-1);
    if (newest === undefined) return;
    await this.#options.session.setKeys({ 'app-state-sync-key': keys });
    this.#credentials.myAppStateKeyId = newest;
    await this.#saves.save(this.#credentials);
  }

  /** Before the pairing is finished there is nothing to store. */
  #saveCredentials(): void {
    // A failure has cut the socket.
    if (!this.#isPairing) this.#saves.save(this.#credentials).catch(() => undefined);
  }

  #me(): Me {
    const { phoneJid, lid } = toLinkedAccount(this.#credentials);
    return { phoneJid, lid };
  }

  /** Ends it from our side so that nothing more leaves, not even an answer that is being written. */
  #cut(cause: unknown): void {
    this.#options.logger.warn('socket cut', { error: cause });
    this.#inbound.stop();
    this.#terminate();
    void this.#socket.end(toCutCause(cause));
  }

  #terminate(): void {
    rawSocketOf(this.#socket)?.terminate();
  }
}
