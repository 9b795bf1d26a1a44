import { WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import { repairLibsignal } from './libsignalRepairs.ts';
import { takeKeyPairsFromStock } from './madeKeyPairs.ts';
import { takeKeysAsObjects } from './secretKeys.ts';
import { knowOwnTokensOnly } from './tokenNames.ts';

/**
 * The size of the block that small Buffers share, in bytes; it stays in memory as long as one of them does. Each
 * connection keeps some for hours: keys, credentials, Signal sessions. With Node's 64 KB each of them holds a block of
 * mostly nothing.
 */
const BUFFER_POOL_BYTES = 2_048;

/**
 * Prepares the process for the socket room, once, before the first socket.
 * @param options.rootKey public key of the authority that signs the server's certificate; WhatsApp's own when left out
 */
export function prepareProcess(options: { readonly rootKey: Uint8Array | undefined }): void {
  Buffer.poolSize = BUFFER_POOL_BYTES;
  repairLibsignal();
  takeKeysAsObjects();
  takeKeyPairsFromStock();
  knowOwnTokensOnly();
  if (options.rootKey !== undefined) WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(options.rootKey);
  // libsignal prints sessions with their private keys. The worker writes its log without the console.
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) console[method] = () => undefined;
}
