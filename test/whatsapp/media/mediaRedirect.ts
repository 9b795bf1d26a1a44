import { Agent as SecureAgent, type AgentOptions } from 'node:https';
import { connect } from 'node:net';
import { Agent } from 'undici';

/** Media of the simulator are plain HTTP, but clients insist on https: these take the s away, for loopback only. */
class PlainAgent extends SecureAgent {
  override createConnection(options: AgentOptions & { readonly host?: string | null; readonly port?: unknown }) {
    return connect({ host: loopback(String(options.host)), port: Number(options.port) });
  }
}

/** The agent for uploads: `fetchAgent` of Baileys. */
export const mediaAgent: SecureAgent = new PlainAgent();

/**
 * The dispatcher for downloads: `options.dispatcher` of Baileys. Undici's own types and Node's copy of them differ in
 * optional fields.
 */
export const mediaDispatcher = new Agent().compose(
  (dispatch) => (options, handler) =>
    dispatch({ ...options, origin: `http://${loopback(new URL(String(options.origin)).host)}` }, handler),
) as unknown as NonNullable<RequestInit['dispatcher']>;

function loopback(host: string): string {
  if (host.split(':')[0] !== '127.0.0.1') throw new Error(`${host} is not the simulator`);
  return host;
}
