import { Agent, type AgentOptions } from 'node:https';
import { connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';

let shared: { readonly host: string; readonly agent: SocketAgent } | undefined;
let secureContext: SecureContext | undefined;

/**
 * What all sockets of the process open their connections with: one TLS context, instead of one per socket, each of which
 * would read the list of authorities again and keep memory for it; and what WhatsApp gives to resume TLS with serves the
 * next handshake. Connections themselves are never shared. Undefined for a server without TLS.
 */
export function socketAgentOf(url: string): Agent | undefined {
  const { protocol, host } = new URL(url);
  if (protocol !== 'wss:') return undefined;
  // One server per process; a session of TLS that another one gave is never offered.
  if (shared?.host !== host) shared = { host, agent: new SocketAgent() };
  return shared.agent;
}

/**
 * Node's own agent listens for sessions with a closure for each socket, which keeps the request that opened it, its answer and
 * its headers as long as the socket: 10 KB per connection. This one listens with the same two functions for all of them.
 */
class SocketAgent extends Agent {
  #session: Buffer | undefined;

  readonly #remember = (session: Buffer): void => {
    this.#session = session;
  };
  /** A server that refuses what it once gave is not offered it again. */
  readonly #forget = (): void => {
    this.#session = undefined;
  };

  override createConnection(options: AgentOptions & ConnectionOptions): TLSSocket {
    const { host, port, servername, timeout, ALPNProtocols } = options;
    secureContext ??= createSecureContext();
    const socket = connect({ host, port, servername, timeout, ALPNProtocols, secureContext, session: this.#session });
    return socket.on('session', this.#remember).once('error', this.#forget);
  }
}
