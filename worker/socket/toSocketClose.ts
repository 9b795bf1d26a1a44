import type { SocketClose } from './connectionSocket.ts';

/**
 * The facts of a close: the number that Baileys reports, and the node that caused it. `conflict` nodes say in their type
 * whether the socket was replaced or the device removed; without a code Baileys gives both the number 440.
 */
export function toSocketClose(error: unknown): SocketClose {
  const { output, data } = (error ?? {}) as {
    readonly output?: { readonly statusCode?: unknown };
    readonly data?: { readonly tag?: unknown; readonly attrs?: { readonly type?: unknown } };
  };
  const statusCode = typeof output?.statusCode === 'number' ? output.statusCode : undefined;
  const type = data?.attrs?.type;
  const tag = data?.tag;
  return { statusCode, node: typeof type === 'string' ? type : typeof tag === 'string' ? tag : undefined };
}
