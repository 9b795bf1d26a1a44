import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What a proxy does with connections:
 *   open      carries both ways
 *   refused   nobody listens, and connections that were there are reset
 *   reset     somebody listens and resets each connection at once, old ones too: attempts can be counted
 *   silent    connections are accepted and nothing moves: neither new ones nor old ones hear anything
 * What was held while silent travels on when it opens again, as what a network retransmits does: a request whose caller
 * has long given up may still reach the server.
 */
export type Passage = 'open' | 'refused' | 'reset' | 'silent';

export interface Target {
  readonly host: string;
  readonly port: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Below the ports from which a machine connects to others: nobody takes this one while it is not listened on. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const ATTEMPTS = 50;

/** A TCP proxy on loopback, in front of one server, whose passage can be blocked. */
export class TcpProxy {
  readonly #target: Target;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #passage: Passage = 'open';
  /** When somebody connected, on the clock on the wall. */
  readonly #attempts: number[] = [];
  port = 0;

  private constructor(target: Target) {
    this.#target = target;
    // Halves end one by one: what is on its way in the other direction must not be cut off.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  static async start(target: Target): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.port = await listenBelowEphemeral(proxy.#server);
    return proxy;
  }

  async set(passage: Passage): Promise<void> {
    const before = this.#passage;
    this.#passage = passage;
    if (passage === 'refused') {
      await this.#close();
      return;
    }
    if (passage === 'reset') this.#resetAll();
    else for (const pair of this.#pairs) carry(pair, passage);
    if (before === 'refused') await listen(this.#server, this.port);
  }

  /** When connections were asked for since then, whether or not they were carried. */
  attemptsSince(atMs: number): readonly number[] {
    return this.#attempts.filter((attempt) => attempt >= atMs);
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.#close();
  }

  async #close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#resetAll();
    await closed;
  }

  #resetAll(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  #accept(client: Socket): void {
    this.#attempts.push(Date.now());
    if (this.#passage === 'reset') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      // A close follows each error, and takes the other side along.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#pairs.delete(pair);
        other.destroySoon();
      });
    }
    carry(pair, this.#passage);
  }
}

function carry({ client, server }: Pair, passage: Passage): void {
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    if (passage === 'open') from.pipe(to);
    else {
      from.unpipe(to);
      from.pause();
    }
  }
}

async function listenBelowEphemeral(server: Server): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    try {
      await listen(server, port);
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
