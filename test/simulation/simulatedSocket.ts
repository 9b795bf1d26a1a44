import { EventEmitter } from 'node:events';
import { Mutex } from 'async-mutex';
import type { MessageFact } from '../../shared/event/facts/messageFactSchema.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { Evidence } from '../../shared/connection/liveness.ts';
import { makeId, type ConnectionId, type StanzaId } from '../../shared/kernel/id.ts';
import { Acknowledgements } from '../../worker/socket/sending/acknowledgements.ts';
import type { ActionOutcome } from '../../worker/socket/port/actionOutcome.ts';
import type {
  ConnectionSocket,
  LinkedAccount,
  MediaHosts,
  SendOutcome,
  SendRequest,
} from '../../worker/socket/port/connectionSocket.ts';
import { toLeaving, type LeavingMessage } from '../../worker/socket/sending/leavingMessages.ts';
import { receiveDurably, sendDurably, withMark } from '../../worker/socket/signal/durableSteps.ts';
import { guardFrames, type RawSocket } from '../../worker/socket/frameGate.ts';
import type { OpenSocketOptions } from '../../worker/socket/port/socketOptions.ts';
import { someContent, wordsOf } from '../shared/content/someContent.ts';
import type { ClientFrame, FakeWhatsApp, ServerFrame, Wire } from './fakeWhatsApp.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { Due, VirtualTime } from './virtualTime.ts';

/** How the order of sending may be broken on purpose; the right one is that of `durableSteps`. */
export interface SendOrder {
  readonly commitAfterWire: boolean;
  readonly skipGateAfterCommit: boolean;
  readonly makeAnew: boolean;
}

export interface SocketWorld {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly whatsApp: FakeWhatsApp;
  readonly machine: Machine;
  readonly order: SendOrder;
  /** A message stanza has left the worker, wherever it gets to. */
  readonly onWire: (connectionId: ConnectionId, issuedAtMs: number) => void;
  /** Milliseconds for one way. */
  readonly latencyMs: () => number;
  /** Whether the network carries nothing to WhatsApp and back at the moment: frames wait, as TCP's do. */
  readonly isCut: () => boolean;
}

/** The one contact of every account. */
const CONTACT = '4915200000000@s.whatsapp.net';
/** How the ratchet of what is sent is named, beside that of what is received. */
export const OUTGOING = '.out';
const SEND_DEADLINE_MS = 30_000;
const KEEP_ALIVE_MS = 45_000;
const SILENT_MS = 50_000;
const RETRANSMIT_MS = 1_000;

/** The raw WebSocket that the socket's frames go through, over the simulated network. */
class SimulatedRaw extends EventEmitter implements RawSocket {
  readonly #world: SocketWorld;
  readonly #options: OpenSocketOptions;
  readonly #wire: Wire;
  /** Frames on their way, for each direction: the first arrives first. */
  readonly #ways = { in: [] as Frame[], out: [] as Frame[] };
  #isOver = false;

  constructor(world: SocketWorld, options: OpenSocketOptions) {
    super();
    this.#world = world;
    this.#options = options;
    this.#wire = { machine: world.machine, deliver: (frame) => this.#bring(frame) };
  }

  send = (data: unknown, callback?: (error?: Error) => void): void => {
    const { time, network, machine, whatsApp, onWire } = this.#world;
    const issuedAtMs = time.nowMs;
    network.leave(machine, data, () => {
      if ((data as ClientFrame).kind === 'message') onWire(this.#options.connection.connectionId, issuedAtMs);
      this.#carry('out', () => {
        if (!this.#isOver)
          whatsApp.take(this.#options.connection.connectionId, this.#wire, data as ClientFrame, issuedAtMs);
      });
    });
    callback?.();
  };

  pause(): void {
    // Nothing to do: what the gate holds back is held in order anyway.
  }

  resume(): void {
    // The account is the same as above.
  }

  terminate(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // The server learns it a moment later; what was on its way before is lost with the connection.
    this.#world.time.after(this.#world.latencyMs(), () => {
      this.#world.whatsApp.forget(this.#options.connection.connectionId, this.#wire);
    });
    this.emit('close');
  }

  #bring(frame: ServerFrame): void {
    this.#carry('in', () => {
      this.#world.machine.arrive(() => {
        if (!this.#isOver) this.emit('message', frame);
      });
    });
  }

  /** In order, with latency; while the network is cut, it is tried again and again. */
  #carry(way: 'in' | 'out', arrive: () => void): void {
    const { time, latencyMs } = this.#world;
    const frames = this.#ways[way];
    frames.push({ atMs: time.nowMs + latencyMs(), arrive });
    if (frames.length === 1) this.#move(frames);
  }

  #move(frames: Frame[]): void {
    const { time, isCut } = this.#world;
    const [first] = frames;
    if (first === undefined) return;
    time.after(first.atMs - time.nowMs, () => {
      if (isCut()) {
        frames[0] = { ...first, atMs: time.nowMs + RETRANSMIT_MS };
      } else {
        frames.shift();
        first.arrive();
      }
      this.#move(frames);
    });
  }
}

interface Frame {
  readonly atMs: number;
  readonly arrive: () => void;
}

/** The account, as it stands in what answers a word of its own. */
const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: undefined } as const;

/** What the socket room is, without Baileys: the same orders, the same session store, the same gate on the frames. */
export class SimulatedSocket implements ConnectionSocket {
  readonly generation: number;
  readonly #options: OpenSocketOptions;
  readonly #world: SocketWorld;
  readonly #raw: SimulatedRaw;
  readonly #acknowledgements: Acknowledgements;
  readonly #turn = new Mutex();
  #inbound: Promise<void> = Promise.resolve();
  #caughtUp = false;
  #closed = false;
  #lastFrameMs: number;
  readonly #madeAtMs: number;
  #openedAtMs: number | undefined;
  #keepAlive: Due | undefined;
  readonly #forgetSession: () => void;

  constructor(options: OpenSocketOptions, world: SocketWorld) {
    this.generation = options.generation;
    this.#options = options;
    this.#world = world;
    this.#madeAtMs = options.clock.monotonicMs();
    this.#lastFrameMs = this.#madeAtMs;
    this.#acknowledgements = new Acknowledgements(options.clock.monotonicMs);
    this.#raw = new SimulatedRaw(world, options);
    this.#raw.on('message', (frame: ServerFrame) => this.#take(frame));
    if (!world.order.skipGateAfterCommit) guardFrames(this.#raw, options.gate);
    this.#forgetSession = options.session.onFailure(() => this.#end(408));
    this.#raw.send({ kind: 'login' });
    void options.clock.sleep(options.config.openWithinMs).then(() => {
      if (!this.#caughtUp) this.#end(408);
    });
    this.#keepAliveLater();
  }

  async send(request: SendRequest): Promise<SendOutcome> {
    const { stanzaId, content, to } = request;
    const { order } = this.#world;
    const { clock, config } = this.#options;
    if (!this.#caughtUp || this.#closed) return { outcome: 'unknown' };
    const acknowledged = this.#acknowledgements.expect(stanzaId);
    try {
      const asked = order.makeAnew ? { ...request, triedBefore: false, secret: undefined } : request;
      const leaving = await toLeaving(asked, { chat: to, me: ME }, this.#options);
      await withDeadline('sending', SEND_DEADLINE_MS, () => this.#write(stanzaId, wordsOf(content), leaving), clock);
      await withDeadline('the ack', config.serverAckTimeoutMs, () => acknowledged, clock);
      return { outcome: 'acknowledged', atMs: clock.nowMs() };
    } catch {
      return { outcome: 'unknown' };
    } finally {
      this.#acknowledgements.forget(stanzaId);
    }
  }

  /** The socket knows its one contact. */
  readonly lookUpsFor = async (): Promise<ReadonlySet<never>> => new Set();

  readonly chatOf = async (to: string): Promise<string> => to;

  readonly mediaHosts = async (): Promise<MediaHosts> => ({ hosts: ['mmg.whatsapp.net'], token: 'token' });
  readonly isFirstContact = async (): Promise<boolean> => false;

  /** The server answers nothing but messages. */
  readonly ask = async (): Promise<ActionOutcome> => ({ outcome: 'not_asked' });

  readonly askForFile = async () => 'not_asked' as const;

  async close(): Promise<void> {
    await this.#inbound;
    this.#end(undefined);
    const { session, gate } = this.#options;
    if (gate.isOpen()) await session.flush().catch(() => undefined);
  }

  evidence(nowMonotonicMs: number): Evidence {
    const { gate } = this.#options;
    const age = (sinceMs: number): number => Math.min(nowMonotonicMs - sinceMs, gate.openForMs());
    const oldestSendMs = this.#acknowledgements.oldestSinceMs;
    return {
      phase: this.#openedAtMs === undefined ? 'opening' : 'open',
      phaseMs: age(this.#openedAtMs ?? this.#madeAtMs),
      lastFrameMs: age(this.#lastFrameMs),
      lastHandledMs: undefined,
      lastAckMs: undefined,
      oldestUnhandledMs: undefined,
      oldestUnacknowledgedMs: oldestSendMs === undefined ? undefined : age(oldestSendMs),
      oldestLockMs: undefined,
    };
  }

  answerPasskey(): void {
    // The simulated phones have no passkey.
  }

  probe(): void {
    if (!this.#closed) this.#raw.send({ kind: 'ping' });
  }

  async #write(stanzaId: StanzaId, text: string, { message, kept }: LeavingMessage): Promise<void> {
    const { gate, session } = this.#options;
    const { order } = this.#world;
    const secret = Buffer.from(message.messageContextInfo?.messageSecret ?? []).toString('hex');
    const commit = (): Promise<number> =>
      this.#turn.runExclusive(async () => {
        const step = (await this.#step()) + 1;
        await session.setKeys({ session: { [`${CONTACT}${OUTGOING}`]: { step } } });
        return step;
      });
    const keptAndCommitted = async (): Promise<number> => {
      const step = await commit();
      if (!order.makeAnew) await kept;
      return step;
    };
    if (order.commitAfterWire) {
      const step = (await this.#step()) + 1;
      gate.assertOpen();
      this.#raw.send({ kind: 'message', stanzaId, step, text, secret });
      await commit();
      return;
    }
    const step = order.skipGateAfterCommit ? await keptAndCommitted() : await sendDurably(gate, keptAndCommitted);
    // Baileys reads the store once more between the encryption and the wire.
    await session.getKeys('device-list', [CONTACT]);
    if (!order.skipGateAfterCommit) await gate.whenOpen(SEND_DEADLINE_MS);
    this.#raw.send({ kind: 'message', stanzaId, step, text, secret });
  }

  async #step(): Promise<number> {
    const key = `${CONTACT}${OUTGOING}`;
    const found = await this.#options.session.getKeys('session', [key]);
    return (found[key] as { readonly step: number } | undefined)?.step ?? 0;
  }

  #take(frame: ServerFrame): void {
    const { emit } = this.#options;
    const { generation } = this;
    this.#lastFrameMs = this.#options.clock.monotonicMs();
    if (this.#closed) return;
    if (frame.kind === 'success') {
      this.#openedAtMs = this.#lastFrameMs;
      emit({ type: 'socket_opened', generation, account: ACCOUNT });
    }
    if (frame.kind === 'ack') this.#acknowledgements.arrive(frame.stanzaId, undefined);
    if (frame.kind === 'close') this.#end(frame.code);
    if (frame.kind === 'message') this.#inbound = this.#inbound.then(() => this.#receive(frame.id, frame.text));
    if (frame.kind === 'caught_up') {
      void this.#inbound.then(() => {
        if (this.#closed) return;
        this.#caughtUp = true;
        emit({ type: 'caught_up', generation });
      });
    }
  }

  async #receive(id: string, text: string): Promise<void> {
    const { session, publisher, connection, clock, random } = this.#options;
    const key = `${CONTACT}.in`;
    if (this.#closed) return;
    try {
      const ring = ((await session.getKeys('handled', [key]))[key] as readonly string[] | undefined) ?? [];
      await receiveDurably({
        isHandled: async () => ring.includes(id),
        decrypt: async () => text,
        publish: (body) =>
          publisher.publish(connection, [toFact(id, body, clock.nowMs())], makeId('cor', clock.nowMs(), random)),
        markHandled: () => session.setKeysBehind({ handled: { [key]: withMark(ring, id) } }),
      });
      this.#raw.send({ kind: 'receipt', id });
    } catch {
      this.#end(408);
    }
  }

  #keepAliveLater(): void {
    this.#keepAlive = this.#world.machine.later(KEEP_ALIVE_MS, () => {
      if (this.#closed) return;
      if (this.#options.clock.monotonicMs() - this.#lastFrameMs > SILENT_MS) this.#end(408);
      else {
        this.#raw.send({ kind: 'ping' });
        this.#keepAliveLater();
      }
    });
  }

  #end(statusCode: number | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetSession();
    if (this.#keepAlive !== undefined) this.#keepAlive.run = undefined;
    this.#acknowledgements.abandon();
    this.#raw.terminate();
    this.#options.emit({ type: 'socket_closed', generation: this.generation, close: { statusCode, node: undefined } });
  }
}

export const ACCOUNT: LinkedAccount = { phoneJid: '4915100000000@s.whatsapp.net', lid: undefined, name: undefined };

function toFact(id: string, text: string, atMs: number): MessageFact {
  return {
    kind: 'message',
    key: `message:${id}`,
    atMs,
    stanzaId: id as StanzaId,
    chat: CONTACT,
    sender: CONTACT,
    fromMe: false,
    content: someContent(text),
  };
}
