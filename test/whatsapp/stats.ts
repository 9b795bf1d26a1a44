/** What the simulator counts, in the words of PROTOCOL.md §9. */
export interface Stats {
  /** WebSockets that were opened, and logins that succeeded, per account with their times. */
  readonly sockets: number;
  readonly logins: Readonly<Record<string, readonly number[]>>;
  /** Logins that replaced a live socket of the same device. */
  readonly replaced: number;
  /** Message stanzas accepted from a socket after a newer login of the same device. */
  readonly overlap: number;
  /** Per recipient phone: distinct messages with content. */
  readonly shown: Readonly<Record<string, number>>;
  /** Further stanzas with an id that was already delivered. */
  readonly resent: number;
  /** Messages that a phone or device could not read at first. */
  readonly undecryptable: number;
  readonly retryRequests: number;
  /** How many stanzas came under each id from clients. */
  readonly stanzas: Readonly<Record<string, number>>;
  /** Presence that clients announced last, per account. */
  readonly presence: Readonly<Record<string, string>>;
  readonly keyFetches: number;
}

/** Counts that grow as the simulator runs. */
export class Counters {
  sockets = 0;
  replaced = 0;
  overlap = 0;
  resent = 0;
  undecryptable = 0;
  retryRequests = 0;
  keyFetches = 0;
  readonly logins = new Map<string, number[]>();
  readonly stanzas = new Map<string, number>();
  readonly presence = new Map<string, string>();

  countLogin(number: string, atMs: number): void {
    this.logins.set(number, [...(this.logins.get(number) ?? []), atMs]);
  }

  /** Counts a message stanza of a client. Returns how often its id has come now. */
  countStanza(id: string): number {
    const count = (this.stanzas.get(id) ?? 0) + 1;
    this.stanzas.set(id, count);
    if (count > 1) this.resent += 1;
    return count;
  }

  report(shown: Readonly<Record<string, number>>): Stats {
    return {
      sockets: this.sockets,
      logins: Object.fromEntries(this.logins),
      replaced: this.replaced,
      overlap: this.overlap,
      shown,
      resent: this.resent,
      undecryptable: this.undecryptable,
      retryRequests: this.retryRequests,
      stanzas: Object.fromEntries(this.stanzas),
      presence: Object.fromEntries(this.presence),
      keyFetches: this.keyFetches,
    };
  }
}
