import type { makeWASocket } from '@whiskeysockets/baileys';
import type { RawSocket } from './frameGate.ts';

export type Baileys = ReturnType<typeof makeWASocket>;

/** The WebSocket under Baileys, which makes it at once and forgets it when it has closed. */
export function rawSocketOf({ ws }: Baileys): (RawSocket & { readonly terminate: () => void }) | null {
  return (ws as unknown as { readonly socket: (RawSocket & { readonly terminate: () => void }) | null }).socket;
}
