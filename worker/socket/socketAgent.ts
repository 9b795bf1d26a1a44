import { Agent } from 'node:https';
import { createSecureContext } from 'node:tls';

let shared: Agent | undefined;

/**
 * What all sockets of the process open their connections with: one TLS context, instead of one per socket, each of which
 * would read the list of authorities again and keep memory for it; and what WhatsApp gives to resume TLS with serves the
 * next handshake. Connections themselves are never shared. Undefined for a server without TLS.
 */
export function socketAgentOf(url: string): Agent | undefined {
  if (!url.startsWith('wss:')) return undefined;
  shared ??= new Agent({ secureContext: createSecureContext() });
  return shared;
}
