/** The parts of Chrome's API that the extension uses; https://developer.chrome.com/docs/extensions/reference/api has them all. */
interface PortEvent<Told extends unknown[]> {
  addListener(listener: (...told: Told) => void): void;
}

interface ExtensionPort {
  readonly name: string;
  /** Who is on the other side, as the browser knows it and no page can say. */
  readonly sender?: { readonly origin?: string; readonly url?: string; readonly tab?: { readonly id?: number } };
  readonly onMessage: PortEvent<[message: unknown]>;
  readonly onDisconnect: PortEvent<[]>;
  postMessage(message: unknown): void;
  disconnect(): void;
}

declare const chrome: {
  readonly runtime: {
    readonly onConnect: PortEvent<[port: ExtensionPort]>;
    connect(what: { readonly name: string }): ExtensionPort;
  };
  readonly windows: {
    create(what: {
      readonly url: string;
      readonly type: 'popup';
      readonly width: number;
      readonly height: number;
    }): Promise<{ readonly id?: number; readonly tabs?: readonly { readonly id?: number }[] } | undefined>;
    remove(id: number): Promise<void>;
  };
};
