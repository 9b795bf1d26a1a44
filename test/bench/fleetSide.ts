import type { PreparedAccount } from './fleetAccounts.ts';

/** One way to run a thousand connections in a process. An index names an account. */
export interface FleetSide {
  /** Puts the accounts into the store; nothing is opened. */
  readonly load: (accounts: readonly PreparedAccount[]) => Promise<void>;
  /** Opens a socket. Resolves when WhatsApp has let the account in. */
  readonly open: (index: number) => Promise<void>;
  /** Resolves when what waited for the account has come. */
  readonly caughtUp: (index: number) => Promise<void>;
  /** Sends a text. Resolves when the server has it; throws when it has not taken it. */
  readonly send: (index: number, to: string, text: string) => Promise<void>;
  /** Closes the socket of an account and leaves nothing of it. */
  readonly close: (index: number) => Promise<void>;
  /** Messages with something to see, over all accounts. */
  readonly received: () => number;
}

export interface SideOptions {
  readonly url: string;
  /** In hex. */
  readonly rootKey: string;
  /** What each call to the store takes, and each publish: milliseconds. */
  readonly latencyMs: number;
}

export function jidOfNumber(number: string): string {
  return `${number}@s.whatsapp.net`;
}

export const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));
