/** A program that holds linked accounts and is measured: the product's socket room, or Baileys as it is. */
export interface Clients {
  /** Links an account with the phone of that number and stays online. */
  readonly pair: (number: string) => Promise<void>;
  /** Sends a text to a number. Resolves when the program believes that it is sent. */
  readonly send: (number: string, to: string, text: string) => Promise<void>;
  /** Ends every socket in order; what is remembered in memory is gone, what is stored stays. */
  readonly stop: () => Promise<void>;
  /** Starts again on the same storage. Resolves when every account is `open`. */
  readonly start: () => Promise<void>;
}

/** A text that a program has given out. */
export interface Received {
  readonly number: string;
  readonly text: string;
  /** The key by which the product drops repetitions when it records them; plain Baileys has none. */
  readonly key: string | undefined;
}

export type ClientKind = 'plain' | 'ours';

export interface ClientsOptions {
  readonly whatsApp: { readonly webSocketUrl: string; readonly controlUrl: string; readonly rootKey: string };
  /** Folder of its own, for files that outlive a stop. */
  readonly folder: string;
  /** Where the tables are. Plain Baileys keeps everything in files. */
  readonly dynamoDbEndpoint: string;
  readonly onReceived: (received: Received) => void;
}
