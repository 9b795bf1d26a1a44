import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectSecure, createSecureContext, type SecureContext } from 'node:tls';
import { AnswerReader, type HttpAnswer } from './httpAnswer.ts';

/**
 * Kept-alive connections to one service, each with one request at a time. Node's own client takes four fifths of what
 * such a request costs for streams, events and timers that a call does without: a request here is one text, written at
 * once, and its answer one text, read to the end (`httpAnswer.ts`).
 *
 * - The process dies here: the connections end with it; a request that was written may still take effect.
 * - An answer never comes: the caller gives the request up, and its connection is closed, never used again. So is one
 *   on which anything comes that was not asked for.
 * - The other side closes a connection at the moment in which it is used again: the request fails as with every client,
 *   and whoever tries it again has to bear that it may take effect twice.
 * - More requests come than there may be connections: they wait, first come first served, until their callers give up.
 */
export interface StoreAddress {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Certificates that are trusted instead of the platform's own. */
  readonly authorities?: readonly string[];
}

export interface ConnectionBounds {
  /** The greatest number of connections at once. */
  readonly most: number;
  /** How long a connection is kept without a request, in milliseconds. */
  readonly idleMs: number;
}

/** One request on its way. */
export interface StoreExchange {
  /** The whole request, head and body. */
  readonly text: string;
  /** Called when a connection is there for it, which it may have to wait for. */
  readonly onBegin: () => void;
  /** Called when the head of an answer has come whose body has not come with it. */
  readonly onHead: () => void;
  readonly onAnswer: (answer: HttpAnswer) => void;
  /** Called when the connection fails or ends before the answer does. */
  readonly onError: (error: Error) => void;
}

interface Connection {
  readonly socket: Socket;
  exchange: StoreExchange | undefined;
  reader: AnswerReader;
}

/** When the kernel begins to ask whether the other side of a silent connection is still there, in milliseconds. */
const PROBE_MS = 1_000;

export class StoreConnections {
  readonly #address: StoreAddress;
  readonly #bounds: ConnectionBounds;
  readonly #open = new Set<Connection>();
  /** Connections without a request; the one that was used last is used first, so that the others can end. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<StoreExchange>();
  #context: SecureContext | undefined;
  /** What makes the next handshake short. */
  #session: Buffer | undefined;
  #isClosed = false;

  constructor(address: StoreAddress, bounds: ConnectionBounds) {
    this.#address = address;
    this.#bounds = bounds;
  }

  /** Makes a request, now or as soon as a connection is free. */
  ask(exchange: StoreExchange): void {
    if (this.#isClosed) {
      exchange.onError(failure('ECONNABORTED', 'the client was closed'));
      return;
    }
    const connection = this.#idle.pop();
    if (connection !== undefined) {
      connection.socket.ref();
      this.#begin(connection, exchange);
    } else if (this.#open.size < this.#bounds.most) this.#begin(this.#connect(), exchange);
    else this.#waiting.add(exchange);
  }

  /** Ends a request that is under way, and the connection that it is on; nothing is called for it any more. */
  giveUp(exchange: StoreExchange): void {
    if (this.#waiting.delete(exchange)) return;
    for (const connection of this.#open) {
      if (connection.exchange !== exchange) continue;
      connection.exchange = undefined;
      this.#end(connection);
      return;
    }
  }

  /** Closes all connections; requests that are under way fail. */
  close(): void {
    this.#isClosed = true;
    const error = failure('ECONNABORTED', 'the client was closed');
    for (const connection of this.#open) this.#fail(connection, error);
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      exchange.onError(error);
    }
  }

  #begin(connection: Connection, exchange: StoreExchange): void {
    connection.exchange = exchange;
    connection.reader = new AnswerReader();
    exchange.onBegin();
    connection.socket.write(exchange.text);
  }

  #connect(): Connection {
    const socket = this.#address.isSecure ? this.#secureSocket() : this.#plainSocket();
    const connection: Connection = { socket, exchange: undefined, reader: new AnswerReader() };
    this.#open.add(connection);
    socket.setTimeout(this.#bounds.idleMs);
    socket.on('data', (bytes: Buffer) => this.#read(connection, bytes));
    socket.on('end', () => this.#readEnd(connection));
    socket.on('error', (error) => this.#fail(connection, error));
    socket.on('close', () => this.#fail(connection, failure('ECONNRESET', 'the connection was closed')));
    // A request has a deadline of its own; only a connection without one is idle.
    socket.on('timeout', () => {
      if (connection.exchange === undefined) this.#end(connection);
    });
    return connection;
  }

  #plainSocket(): Socket {
    const { hostname, port } = this.#address;
    return connectPlain({ host: hostname, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS });
  }

  #secureSocket(): Socket {
    const { hostname, port, authorities } = this.#address;
    this.#context ??= createSecureContext(authorities === undefined ? {} : { ca: [...authorities] });
    const socket = connectSecure({
      host: hostname,
      port,
      // An address has no name that could be asked for.
      servername: isIP(hostname) === 0 ? hostname : '',
      secureContext: this.#context,
      ALPNProtocols: ['http/1.1'],
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_MS);
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }

  #read(connection: Connection, bytes: Buffer): void {
    const { exchange, reader } = connection;
    if (exchange === undefined) {
      // Nothing was asked: whatever this is, the next answer would be taken for it.
      this.#end(connection);
      return;
    }
    const hadHead = reader.hasHead;
    try {
      const answer = reader.push(bytes);
      if (answer !== undefined) this.#settle(connection, exchange, answer);
      else if (!hadHead && reader.hasHead) exchange.onHead();
    } catch (error) {
      this.#fail(connection, error as Error);
    }
  }

  #readEnd(connection: Connection): void {
    const answer = connection.exchange === undefined ? undefined : connection.reader.end();
    if (answer === undefined || connection.exchange === undefined) {
      this.#fail(connection, failure('ECONNRESET', 'the connection was closed before the answer ended'));
    } else this.#settle(connection, connection.exchange, answer);
  }

  #settle(connection: Connection, exchange: StoreExchange, answer: HttpAnswer): void {
    connection.exchange = undefined;
    // An answer that comes before its request has left would be followed by the rest of that request.
    if (connection.reader.keepsAlive && connection.socket.writableLength === 0) this.#free(connection, answer);
    else this.#end(connection);
    exchange.onAnswer(answer);
  }

  #free(connection: Connection, { headers }: HttpAnswer): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      this.#begin(connection, next);
      return;
    }
    // No connection keeps a process alive that has nothing else to do.
    connection.socket.unref();
    const theirsMs = usableMs(headers['keep-alive']);
    if (theirsMs < this.#bounds.idleMs) connection.socket.setTimeout(theirsMs);
    this.#idle.push(connection);
  }

  /** Ends a connection that failed, and its request with it. What comes after the first failure changes nothing. */
  #fail(connection: Connection, error: Error): void {
    const { exchange } = connection;
    connection.exchange = undefined;
    if (!this.#open.has(connection)) return;
    // A session that the other side does not want any more must not spoil the next handshake.
    if (exchange !== undefined) this.#session = undefined;
    this.#end(connection);
    exchange?.onError(error);
  }

  #end(connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    connection.socket.destroy();
    const [next] = this.#waiting;
    if (next === undefined || this.#isClosed) return;
    this.#waiting.delete(next);
    this.#begin(this.#connect(), next);
  }
}

/** How much sooner than the other side a connection is ended that is not used, in milliseconds. */
const SOONER_MS = 1_000;

/** How long a connection may be used after an answer, in milliseconds, by what the other side says of it. */
function usableMs(keepAlive = ''): number {
  const [, seconds] = /\btimeout=(\d{1,6})\b/.exec(keepAlive) ?? [];
  return seconds === undefined ? Infinity : Math.max(1, Number(seconds) * 1_000 - SOONER_MS);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
