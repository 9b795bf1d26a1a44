import { decodeBinaryNode, encodeBinaryNode, type proto } from '@whiskeysockets/baileys';
import { TOKEN_MAP } from '@whiskeysockets/baileys/lib/WABinary/constants.js';
import type { WebSocket } from 'ws';
import { node, type BinaryNode } from './node.ts';
import { NoiseResponder, PROLOGUE, type ServerKeys } from './noise.ts';
import type { LinkedDevice } from './world.ts';

/** What a client's registration says about its device. */
export interface Registration {
  readonly noiseKey: Buffer;
  readonly identity: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: { readonly id: number; readonly value: Uint8Array; readonly signature: Uint8Array };
}

export interface SocketEvents {
  readonly onFinish: (socket: ClientSocket, clientStatic: Buffer, payload: proto.ClientPayload) => void;
  readonly onNode: (socket: ClientSocket, stanza: BinaryNode) => void | Promise<void>;
  readonly onClose: (socket: ClientSocket) => void;
  /** Fault: how long a stanza takes now, in milliseconds. */
  readonly latencyMs: (socket: ClientSocket) => number;
}

/** How long a client may take to answer an `iq`. */
const ANSWER_DEADLINE_MS = 15_000;
/** Messages that a fault can deliver again. */
const REMEMBERED = 1_000;
/** A list without an entry, where the encoding has the name of a stanza. */
const NO_STANZA = Buffer.from([0, 0xf8, 0, 0]);

// A name such as `constructor` is no abbreviation that the server knows, and leaves as it is.
Object.setPrototypeOf(TOKEN_MAP, null);

let tags = 0;

/** One WebSocket of a client: framing, handshake, then stanzas in order, both ways. */
export class ClientSocket {
  readonly #webSocket: WebSocket;
  readonly #noise: NoiseResponder;
  readonly #events: SocketEvents;
  #bytes = Buffer.alloc(0);
  #phase: 'prologue' | 'hello' | 'finish' | 'transport' = 'prologue';
  #reading: Promise<void> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();
  readonly #answers = new Map<string, (answer: BinaryNode) => void>();

  /** Set when the client registers a new device. */
  registration: Registration | undefined;
  /** Set when a device is logged in. */
  device: LinkedDevice | undefined;
  /** Whether the client has asked for its stanzas (`passive active`). */
  active = false;
  /** A newer login of the same device exists. */
  replaced = false;
  /** Fault: hears everything and says nothing. */
  silent = false;
  /** Fault: never answers the Noise hello. */
  deaf = false;
  closed = false;
  /** Messages that this socket was sent, by id: what a fault may deliver again. */
  readonly sentMessages = new Map<string, BinaryNode>();

  constructor(webSocket: WebSocket, keys: ServerKeys, events: SocketEvents) {
    this.#webSocket = webSocket;
    this.#noise = new NoiseResponder(keys);
    this.#events = events;
    webSocket.on('message', (data: Buffer) => this.#receive(data));
    webSocket.on('close', () => {
      this.closed = true;
      events.onClose(this);
    });
    webSocket.on('error', () => webSocket.terminate());
  }

  /** Sends a stanza, after those before it. */
  send(stanza: BinaryNode): void {
    if (this.silent || this.closed) return;
    if (stanza.tag === 'message') this.#remember(stanza);
    const travelled = this.#travel();
    this.#writing = this.#writing.then(async () => {
      await travelled;
      if (this.closed) return;
      this.#writeFrame(this.#noise.encrypt(encodeBinaryNode(stanza)));
    });
  }

  /** Sends a frame that no client can read: one that is sealed and holds no stanza, or one whose seal does not fit. */
  sendUnreadable(broken: 'stanza' | 'seal'): void {
    this.#writing = this.#writing.then(() => {
      if (this.closed) return;
      const sealed = this.#noise.encrypt(NO_STANZA);
      this.#writeFrame(broken === 'stanza' ? sealed : sealed.map((byte) => byte ^ 1));
    });
  }

  /** Asks the client and waits for its `iq` answer; undefined if the socket closes first or the deadline passes. */
  ask(content: readonly BinaryNode[], attrs: Record<string, string> = {}): Promise<BinaryNode | undefined> {
    const id = `sim-${++tags}`;
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#answers.delete(id);
        resolve(undefined);
      };
      this.#answers.set(id, resolve);
      this.#webSocket.once('close', giveUp);
      setTimeout(giveUp, ANSWER_DEADLINE_MS).unref();
      this.send(node('iq', { from: 's.whatsapp.net', type: 'set', id, ...attrs }, [...content]));
    });
  }

  /** Closes after everything that was sent has left. */
  close(): void {
    void this.#writing.then(() => this.#webSocket.close());
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  #receive(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    if (this.#phase === 'prologue') this.#readPrologue();
    while (this.#phase !== 'prologue' && this.#bytes.length >= 3) {
      const size = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < size + 3) return;
      const frame = this.#bytes.subarray(3, size + 3);
      this.#bytes = this.#bytes.subarray(size + 3);
      try {
        this.#readFrame(frame);
      } catch {
        // A frame that does not open is what a broken client sends; a real server hangs up on it.
        this.terminate();
        return;
      }
    }
  }

  /** `ED 00 01` and routing information may come before the prologue. */
  #readPrologue(): void {
    if (this.#bytes.length >= 7 && this.#bytes.subarray(0, 2).toString() === 'ED') {
      const size = this.#bytes.readUIntBE(4, 3);
      if (this.#bytes.length < 7 + size) return;
      this.#bytes = this.#bytes.subarray(7 + size);
    }
    if (this.#bytes.length < PROLOGUE.length) return;
    if (!this.#bytes.subarray(0, PROLOGUE.length).equals(PROLOGUE)) {
      this.terminate();
      return;
    }
    this.#bytes = this.#bytes.subarray(PROLOGUE.length);
    this.#phase = 'hello';
  }

  #readFrame(frame: Buffer): void {
    if (this.#phase === 'hello') {
      if (this.deaf) return;
      this.#writeFrame(this.#noise.answerHello(frame));
      this.#phase = 'finish';
    } else if (this.#phase === 'finish') {
      const { clientStatic, payload } = this.#noise.readFinish(frame);
      this.#phase = 'transport';
      this.#events.onFinish(this, clientStatic, payload);
    } else {
      const plaintext = this.#noise.decrypt(frame);
      const travelled = this.#travel();
      this.#reading = this.#reading.then(async () => {
        await travelled;
        await this.#dispatch(await decodeBinaryNode(plaintext));
      });
      this.#reading.catch(() => this.terminate());
    }
  }

  #remember(message: BinaryNode): void {
    this.sentMessages.set(message.attrs['id'] ?? '', message);
    const oldest = this.sentMessages.size > REMEMBERED ? this.sentMessages.keys().next().value : undefined;
    if (oldest !== undefined) this.sentMessages.delete(oldest);
  }

  /** Stanzas travel side by side: each takes the latency, but they do not wait for one another's. */
  #travel(): Promise<void> | undefined {
    const latencyMs = this.#events.latencyMs(this);
    return latencyMs > 0 ? new Promise((resolve) => setTimeout(resolve, latencyMs)) : undefined;
  }

  async #dispatch(stanza: BinaryNode): Promise<void> {
    const answer = stanza.tag === 'iq' ? this.#answers.get(stanza.attrs['id'] ?? '') : undefined;
    if (answer !== undefined && stanza.attrs['type'] !== 'set' && stanza.attrs['type'] !== 'get') {
      this.#answers.delete(stanza.attrs['id'] ?? '');
      answer(stanza);
      return;
    }
    await this.#events.onNode(this, stanza);
  }

  #writeFrame(body: Uint8Array): void {
    const header = Buffer.alloc(3);
    header.writeUIntBE(body.length, 0, 3);
    this.#webSocket.send(Buffer.concat([header, body]));
  }
}
