import type { Evidence } from '../../shared/connection/liveness.ts';
import type { PasskeyAnswer } from '../../shared/connection/passkey.ts';
import type { AskedAction } from '../../shared/action/actionKinds.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import { askWhatsApp } from './actions/askWhatsApp.ts';
import { AppState } from './appState/appState.ts';
import { blobOriginOf, fetchBlob } from './appState/blobs.ts';
import { Collections } from './appState/collections.ts';
import { toKeyRequest } from './appState/keyRequest.ts';
import type { Asking } from './actions/asking.ts';
import { answerTo } from './port/answerTo.ts';
import { Ending } from './ending.ts';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { makeStanzaId } from '../../shared/kernel/id.ts';
import { withDefaults } from '../../shared/connection/settings.ts';
import { PhoneFiles } from './files/phoneFiles.ts';
import { AppliedSettings } from './inbound/appliedSettings.ts';
import { FactsInOrder } from './inbound/factsInOrder.ts';
import { inboundTurns } from './port/fairTurns.ts';
import { InboundOrder } from './inbound/inboundOrder.ts';
import { Placeholders } from './inbound/placeholders.ts';
import { PublishedMessages } from './inbound/publishedMessages.ts';
import { Receipts } from './inbound/receipts.ts';
import { listenForStanzas, makeStanzaHandlers } from './inbound/stanzaHandlers.ts';
import { Opening } from './opening.ts';
import { openLine, type Line } from './openLine.ts';
import { openPairing } from './pairing/openPairing.ts';
import type { Pairing } from './pairing/pairing.ts';
import { CallGroups } from './people/callGroups.ts';
import { HeardPresences } from './people/heardPresences.ts';
import { RingingCalls } from './people/ringingCalls.ts';
import { ShownPresence } from './people/shownPresence.ts';
import type { ActionOutcome } from './port/actionOutcome.ts';
import type {
  AskedBeside,
  ConnectionSocket,
  LookUp,
  MediaHosts,
  SendOutcome,
  SendRequest,
} from './port/connectionSocket.ts';
import type { FileRequest } from './port/fileRequest.ts';
import type { OpenSocketOptions } from './port/socketOptions.ts';
import { Probe } from './probe.ts';
import { AccountLimits } from './sending/accountLimits.ts';
import { Acknowledgements } from './sending/acknowledgements.ts';
import { askForHistory, type AskForHistoryParts } from './sending/askForHistory.ts';
import { HeardHistories } from './sending/heardHistories.ts';
import { Outgoing } from './sending/outgoing.ts';
import { UnrecordedSends } from './sending/unrecordedSends.ts';
import { SocketCredentials } from './signal/socketCredentials.ts';
import { SocketEvidence } from './socketEvidence.ts';
import type { Me } from './wire/envelope.ts';

/** Opens one socket. Throws when the session holds no credentials for a login. What happens next arrives through `emit`. */
export function openSocket(options: OpenSocketOptions): ConnectionSocket {
  return new BaileysSocket(options);
}

class BaileysSocket implements ConnectionSocket {
  readonly generation: number;
  readonly #outgoing: Outgoing;
  readonly #asking: Asking;
  readonly #me: () => Me;
  readonly #unrecorded: UnrecordedSends;
  readonly #evidence: SocketEvidence;
  readonly #probe: Probe;
  readonly #opening: Opening;
  readonly #ending: Ending;
  readonly #files: PhoneFiles;
  readonly #pairing: Pairing | undefined;

  constructor(options: OpenSocketOptions) {
    const { clock, config } = options;
    this.generation = options.generation;
    const cut = (cause: unknown): void => this.#ending.cut(cause);
    const credentials = new SocketCredentials(options, cut);
    this.#me = credentials.me;
    const facts = new FactsInOrder(options, credentials.me);
    const acknowledgements = new Acknowledgements(clock.monotonicMs);
    const caughtUp = Promise.withResolvers<void>();
    const line = openLine(options, {
      credentials,
      publish: (stanza, padded) => inbound.messages.publishOpened(stanza, padded),
      cut,
    });
    const { socket } = line;
    const order = new InboundOrder(socket.ws, cut, undefined, clock.monotonicMs);
    this.#unrecorded = new UnrecordedSends(clock);
    this.#evidence = new SocketEvidence(options, order, acknowledgements);
    this.#evidence.watch(line.raw);
    this.#probe = new Probe((stanza) => socket.query(stanza), config.onlineQueryTimeoutMs);
    const limits = new AccountLimits(options, socket);
    this.#outgoing = new Outgoing(options, { ...line, acknowledgements, limits, me: credentials.me });
    const calls = new RingingCalls();
    const presence = makePresence(options, socket, credentials);
    const refuse: Asking['calls']['reject'] = (call) => settings.reject(call);
    const appState = laterAppState(() => inbound.appState);
    const heard = new HeardHistories(clock);
    const phone = makePhone(options, { socket, heard, me: credentials.me });
    const { recipients } = this.#outgoing;
    this.#asking = makeAsking(options, { line, recipients, presence, calls, refuse, appState, phone });
    const enter = this.#evidence.enter.bind(this.#evidence);
    this.#pairing = openPairing(options, { socket, order, credentials, enter, cut });
    const parts = { line, credentials, facts, acknowledgements, order, unrecorded: this.#unrecorded, calls, heard };
    const failed = (error: unknown): void => {
      if (!this.#ending.isClosed) cut(error);
    };
    const inbound = makeInbound(options, { ...parts, caughtUp: caughtUp.promise, failed });
    const { settings } = inbound;
    const letGo = (): void => {
      settings.end();
      acknowledgements.abandon();
    };
    this.#ending = new Ending(options, { socket, order, facts, saves: credentials.saves, letGo });
    const announce = presence.announce.bind(presence);
    const [evidence, pairing, ending] = [this.#evidence, this.#pairing, this.#ending];
    this.#opening = new Opening(options, { socket, credentials, order, evidence, pairing, ending, announce, caughtUp });
    this.#files = new PhoneFiles({ ...options, socket, me: credentials.me });
    const handlers = makeStanzaHandlers({ ...line, ...inbound, files: this.#files, acknowledgements, pairing });
    listenForStanzas(handlers, { order, scope: options.scope, stanzas: socket.ws });
  }

  async send(request: SendRequest): Promise<SendOutcome> {
    const { stanzaId, recorded } = request;
    if (recorded !== undefined) this.#unrecorded.hold(stanzaId, recorded);
    if (!this.#opening.hasCaughtUp || this.#ending.isClosed) return { outcome: 'unknown' };
    return this.#outgoing.send(request);
  }

  readonly lookUpsFor = (to: string): Promise<ReadonlySet<LookUp>> => this.#outgoing.lookUpsFor(to);

  readonly mediaHosts = (afresh: boolean): Promise<MediaHosts> => this.#outgoing.mediaHosts(afresh);

  readonly chatOf = (to: string): Promise<string> => this.#outgoing.chatOf(to);

  readonly isFirstContact = (to: string): Promise<boolean> => this.#outgoing.isFirstContact(to);

  readonly ask = async (action: AskedAction, account: string, beside: AskedBeside = {}): Promise<ActionOutcome> => {
    if (!this.#opening.hasCaughtUp || this.#ending.isClosed) return { outcome: 'not_asked' };
    if (account !== this.#me().phoneJid) return { outcome: 'other_account' };
    return askWhatsApp({ ...this.#asking, ...beside }, action);
  };

  readonly askForFile = async (request: FileRequest): Promise<'asked' | 'not_asked'> => {
    if (!this.#opening.hasCaughtUp || this.#ending.isClosed) return 'not_asked';
    await this.#files.ask(request);
    return 'asked';
  };

  readonly answerPasskey = (answer: PasskeyAnswer): void => {
    if (!this.#ending.isClosed) this.#pairing?.answerPasskey(answer);
  };

  readonly close = (kind: 'end' | 'logout'): Promise<void> => this.#ending.close(kind);

  readonly evidence = (nowMonotonicMs: number): Evidence => this.#evidence.at(nowMonotonicMs);

  readonly probe = (): void => {
    if (!this.#ending.isClosed) this.#probe.ask();
  };
}

interface InboundParts {
  readonly line: Line;
  readonly credentials: SocketCredentials;
  readonly facts: FactsInOrder;
  readonly acknowledgements: Acknowledgements;
  readonly order: InboundOrder;
  readonly unrecorded: UnrecordedSends;
  readonly calls: RingingCalls;
  readonly heard: HeardHistories;
  readonly caughtUp: Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** Makes the parts that work on incoming stanzas. */
function makeInbound(options: OpenSocketOptions, parts: InboundParts) {
  const { config, scope, session, clock } = options;
  const { line, credentials, facts, acknowledgements, order, unrecorded, calls, heard, caughtUp, failed } = parts;
  const { socket, retries } = line;
  const { me } = credentials;
  const { otherNameOf } = line.people;
  const groups = new CallGroups({ members: retries.members, otherNameOf, monotonicMs: clock.monotonicMs });
  const placeholders = new Placeholders({
    ...options,
    socket,
    acknowledgements,
    serverAckTimeoutMs: config.serverAckTimeoutMs,
    me,
    caughtUp,
    signal: scope.signal,
  });
  const settings = new AppliedSettings(options, {
    socket,
    handled: () => order.idle(),
    publish: (told) => facts.publish(told),
    isInGroup: groups.isIn,
    calls,
    me,
  });
  const receipts = new Receipts({
    ...options,
    retries,
    socket,
    signal: scope.signal,
    me,
    otherNameOf,
    unrecorded,
    publish: (told) => facts.publish(told),
    failed,
  });
  const { talkedWith } = line;
  const appState = makeAppState(options, { socket, credentials, facts, caughtUp });
  const keysCame = (): void => appState.keysCame();
  const messages = new PublishedMessages({
    session,
    credentials,
    placeholders,
    settings,
    talkedWith,
    keysCame,
    recordHistory: recordThenHear(options, heard),
  });
  const publish = (told: readonly Fact[]): Promise<void> => facts.publish(told);
  return { placeholders, settings, receipts, messages, appState, publish };
}

/** Records a history, and then tells whoever asked for it. */
function recordThenHear(
  { recordHistory }: OpenSocketOptions,
  heard: HeardHistories,
): OpenSocketOptions['recordHistory'] {
  return async (notice, own) => {
    await recordHistory(notice, own);
    if (notice.requestId !== undefined) heard.hear(notice.requestId);
  };
}

function makeAppState(
  options: OpenSocketOptions,
  {
    socket,
    credentials,
    facts,
    caughtUp,
  }: Pick<InboundParts, 'credentials' | 'facts' | 'caughtUp'> & Pick<Line, 'socket'>,
): AppState {
  const { config, scope, session, whatsappUrl } = options;
  const origin = blobOriginOf(whatsappUrl);
  const collections = new Collections({
    ...options,
    session,
    ask: (query) => answerTo({ socket, queryTimeoutMs: config.onlineQueryTimeoutMs }, query),
    newestKeyId: () => credentials.current.myAppStateKeyId,
    fetchBlob: (reference) => fetchBlob(origin, reference),
    publish: (told) => facts.publish(told),
    takeTurn: () => inboundTurns.take(),
  });
  const acknowledge = (stanza: BinaryNode): Promise<void> =>
    withDeadline('acknowledging a notice', deadlines.stanzaWrite.ms, () => socket.sendMessageAck(stanza));
  const requestKey = (keyId: string): Promise<void> =>
    withDeadline('asking the phone for a key', deadlines.send.ms, async () => {
      await socket.relayMessage(credentials.me().phoneJid, toKeyRequest(keyId), {
        messageId: makeStanzaId(options.random),
        additionalAttributes: { category: 'peer', push_priority: 'high_force' },
      });
    });
  return new AppState({ ...options, collections, acknowledge, requestKey, caughtUp, signal: scope.signal });
}

function makePresence(
  { scope, logger, settings }: OpenSocketOptions,
  socket: Line['socket'],
  credentials: SocketCredentials,
): ShownPresence {
  const chosen = () => withDefaults(settings?.()).presence;
  return new ShownPresence({ socket, scope, logger, chosen, name: () => credentials.current.me?.name });
}

/** The account's phone for actions. */
function makePhone(
  { random, scope }: OpenSocketOptions,
  parts: Pick<AskForHistoryParts, 'socket' | 'heard' | 'me'>,
): Asking['phone'] {
  return { askForHistory: (request) => askForHistory({ ...parts, random, signal: scope.signal }, request) };
}

/** The app state for actions, which are put together before the inbound part that has it. */
function laterAppState(find: () => AppState): Asking['appState'] {
  return { write: (change) => find().write(change), look: (name, see) => find().look(name, see) };
}

interface AskingParts extends Pick<Asking, 'recipients' | 'presence' | 'appState' | 'phone'> {
  readonly line: Line;
  readonly calls: RingingCalls;
  readonly refuse: Asking['calls']['reject'];
}

function makeAsking(
  { config, clock, scope, received, kept, keepPicture, lookUps }: OpenSocketOptions,
  { line, recipients, presence, calls, refuse, appState, phone }: AskingParts,
): Asking {
  return {
    socket: line.socket,
    recipients,
    otherNameOf: line.people.otherNameOf,
    groups: line.retries.members,
    presences: new HeardPresences(scope, line.socket.ws),
    presence,
    received,
    kept,
    keepPicture,
    lookUps,
    phone,
    appState,
    calls: { withId: (callId) => calls.withId(callId), reject: refuse },
    nowMs: clock.nowMs,
    makeTag: line.socket.generateMessageTag,
    queryTimeoutMs: config.onlineQueryTimeoutMs,
  };
}
