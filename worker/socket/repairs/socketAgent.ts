import { Agent, type AgentOptions } from 'node:https';
import { connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';

let shared: { readonly host: string; readonly agent: SocketAgent } | undefined;
let secureContext: SecureContext | undefined;

/**
 * The agent with which all sockets of the process open their network connections: it has one TLS context, instead of
 * one for each socket, each of which would read the list of authorities again and keep memory for it; and a TLS session
 * that WhatsApp gave serves the next handshake. Network connections themselves are never shared. Undefined for a server
 * without TLS.
 */
export function socketAgentOf(url: string): Agent | undefined {
  const { protocol, host } = new URL(url);
  if (protocol !== 'wss:') return undefined;
  // There is one server for each process; a TLS session that another one gave is never offered.
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
  /** A server is not offered again a session that it refused. */
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
