import { KeyUse } from './keyUse.ts';

/** How long a login lasted: from `<success>` until its WebSocket closed, in milliseconds of the clock on the wall. */
export interface LoginSpan {
  readonly openedAt: number;
  /** Missing while it is open. */
  closedAt?: number;
}

/** What the simulator counts. */
export interface Stats {
  /** WebSockets that were opened. */
  readonly sockets: number;
  /** Successful logins per account: their times. */
  readonly logins: Readonly<Record<string, readonly number[]>>;
  /** The same logins with their ends, oldest first. A replaced one ends when its socket does, so two may overlap. */
  readonly spans: Readonly<Record<string, readonly Readonly<LoginSpan>[]>>;
  /** Logins that replaced a live socket of the same device, and their times per account. */
  readonly replaced: number;
  readonly conflicts: Readonly<Record<string, readonly number[]>>;
  /** Message stanzas that came from a socket after a newer login of the same device. They are not delivered. */
  readonly overlap: number;
  /** Per recipient phone: distinct messages with content. */
  readonly shown: Readonly<Record<string, number>>;
  /** Texts of one client that a phone showed under a second stanza id: drivers give each command a text of its own. */
  readonly duplicates: number;
  /** Messages that a phone showed after a later one of the same account. */
  readonly outOfOrder: number;
  /** Further stanzas of a client under an id that came before, unless somebody asked for the repetition. */
  readonly resent: number;
  /** Messages that a phone, or a device that a phone wrote to, could not read at first. */
  readonly undecryptable: number;
  readonly retryRequests: number;
  /** Ciphertexts of clients under a message key that they had used for another one: 0 always. */
  readonly reusedKeys: number;
  /** How many stanzas came under each id from clients. */
  readonly stanzas: Readonly<Record<string, number>>;
  /** Messages that clients refused, by the error in their ack. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Presence that clients announced last, per account. */
  readonly presence: Readonly<Record<string, string>>;
  /** Chat states that clients of a number wrote, oldest first: the last hundred. */
  readonly chatStates: Readonly<Record<string, readonly ChatState[]>>;
  /** Queries of a number for the accounts of phone numbers. */
  readonly accountQueries: Readonly<Record<string, number>>;
  /** Messages to people with whom their account never talked, refused as such, per account. */
  readonly refusedFirstContacts: Readonly<Record<string, number>>;
  readonly keyFetches: number;
  /** Queries for the devices of people. */
  readonly deviceQueries: number;
  /** Questions about groups: one of them, or all of an account. */
  readonly groupQueries: number;
  /** Messages of phones that a client asked to repeat: distinct stanza ids. */
  readonly unreadByClients: number;
  /** Requests of linked devices to their phone for messages that they got without content, per account. */
  readonly placeholderRequests: Readonly<Record<string, number>>;
  /** Queries with which clients gave contacts a privacy token, per account. */
  readonly tokenIssues: Readonly<Record<string, number>>;
  /** Logins and registrations that were begun, by the version with which the client presents itself. */
  readonly versions: Readonly<Record<string, number>>;
  /** The part of them that was refused for its version: per account, and all that were `registering`. */
  readonly refusedVersions: Readonly<Record<string, number>>;
  /** Faults of the simulator itself: none, or what a run shows cannot be trusted. */
  readonly internalErrors: readonly string[];
}

/** Counts that grow as the simulator runs. */
/** A chat state: somebody is typing, recording, or has stopped; `to` is the address that it was written to. */
export interface ChatState {
  readonly to: string;
  readonly state: string;
}

const MOST_CHAT_STATES = 100;

export class Counters {
  sockets = 0;
  replaced = 0;
  overlap = 0;
  duplicates = 0;
  outOfOrder = 0;
  resent = 0;
  undecryptable = 0;
  retryRequests = 0;
  keyFetches = 0;
  deviceQueries = 0;
  groupQueries = 0;
  /** Stanza ids that clients asked phones to repeat. */
  readonly unreadByClients = new Set<string>();
  readonly keyUse = new KeyUse();
  readonly internalErrors: string[] = [];
  readonly spans = new Map<string, LoginSpan[]>();
  readonly conflicts = new Map<string, number[]>();
  readonly stanzas = new Map<string, number>();
  readonly refusals = new Map<string, number>();
  readonly presence = new Map<string, string>();
  readonly chatStates = new Map<string, readonly ChatState[]>();
  readonly accountQueries = new Map<string, number>();
  readonly placeholderRequests = new Map<string, number>();
  readonly tokenIssues = new Map<string, number>();
  readonly refusedFirstContacts = new Map<string, number>();
  readonly versions = new Map<string, number>();
  readonly refusedVersions = new Map<string, number>();
  /** Place of each message among those of its account, in the order in which the server took them. */
  readonly #places = new Map<string, number>();
  readonly #lastShown = new Map<string, number>();
  readonly #texts = new Set<string>();

  /** Counts a login. Returns its span; whoever sees the socket close writes the end into it. */
  countLogin(number: string, atMs: number): LoginSpan {
    const span = { openedAt: atMs };
    this.spans.set(number, [...(this.spans.get(number) ?? []), span]);
    return span;
  }

  countConflict(number: string, atMs: number): void {
    this.replaced += 1;
    this.conflicts.set(number, [...(this.conflicts.get(number) ?? []), atMs]);
  }

  noteInternalError(error: unknown): void {
    this.internalErrors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  countPlaceholderRequest(number: string): void {
    this.placeholderRequests.set(number, (this.placeholderRequests.get(number) ?? 0) + 1);
  }

  noteChatState(number: string, state: ChatState): void {
    this.chatStates.set(number, [...(this.chatStates.get(number) ?? []), state].slice(-MOST_CHAT_STATES));
  }

  countAccountQuery(number: string): void {
    this.accountQueries.set(number, (this.accountQueries.get(number) ?? 0) + 1);
  }

  countTokenIssue(number: string): void {
    this.tokenIssues.set(number, (this.tokenIssues.get(number) ?? 0) + 1);
  }

  countRefusedFirstContact(number: string): void {
    this.refusedFirstContacts.set(number, (this.refusedFirstContacts.get(number) ?? 0) + 1);
  }

  countVersion(version: string): void {
    this.versions.set(version, (this.versions.get(version) ?? 0) + 1);
  }

  countRefusedVersion(who: string): void {
    this.refusedVersions.set(who, (this.refusedVersions.get(who) ?? 0) + 1);
  }

  countRefusal(error: string): void {
    this.refusals.set(error, (this.refusals.get(error) ?? 0) + 1);
  }

  /** Counts a message stanza of a client. @param wasAskedFor somebody could not read it and asked for it again */
  countStanza(account: string, id: string, wasAskedFor: boolean): void {
    const count = (this.stanzas.get(id) ?? 0) + 1;
    this.stanzas.set(id, count);
    if (count > 1 && !wasAskedFor) this.resent += 1;
    const key = `${account}/${id}`;
    if (!this.#places.has(key)) this.#places.set(key, this.#places.size);
  }

  /** Counts a message of a client that a phone shows for the first time. */
  countShown(phone: string, message: { readonly from: string; readonly id: string; readonly text: string }): void {
    const place = this.#places.get(`${message.from}/${message.id}`);
    if (place === undefined) return;
    const pair = `${phone}/${message.from}`;
    const last = this.#lastShown.get(pair) ?? -1;
    if (place < last) this.outOfOrder += 1;
    else this.#lastShown.set(pair, place);
    if (message.text === '') return;
    const text = `${pair}/${message.text}`;
    if (this.#texts.has(text)) this.duplicates += 1;
    else this.#texts.add(text);
  }

  report(shown: Readonly<Record<string, number>>): Stats {
    return {
      sockets: this.sockets,
      logins: Object.fromEntries(
        [...this.spans].map(([number, spans]) => [number, spans.map(({ openedAt }) => openedAt)]),
      ),
      spans: Object.fromEntries(this.spans),
      replaced: this.replaced,
      conflicts: Object.fromEntries(this.conflicts),
      overlap: this.overlap,
      shown,
      duplicates: this.duplicates,
      outOfOrder: this.outOfOrder,
      resent: this.resent,
      undecryptable: this.undecryptable,
      retryRequests: this.retryRequests,
      reusedKeys: this.keyUse.reused,
      stanzas: Object.fromEntries(this.stanzas),
      refusals: Object.fromEntries(this.refusals),
      presence: Object.fromEntries(this.presence),
      chatStates: Object.fromEntries(this.chatStates),
      accountQueries: Object.fromEntries(this.accountQueries),
      keyFetches: this.keyFetches,
      deviceQueries: this.deviceQueries,
      groupQueries: this.groupQueries,
      unreadByClients: this.unreadByClients.size,
      placeholderRequests: Object.fromEntries(this.placeholderRequests),
      refusedFirstContacts: Object.fromEntries(this.refusedFirstContacts),
      tokenIssues: Object.fromEntries(this.tokenIssues),
      versions: Object.fromEntries(this.versions),
      refusedVersions: Object.fromEntries(this.refusedVersions),
      internalErrors: this.internalErrors,
    };
  }
}
