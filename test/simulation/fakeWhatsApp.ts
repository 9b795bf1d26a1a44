import type { ConnectionId } from '../../shared/kernel/id.ts';
import type { Machine } from './machine.ts';

/** What a client sends. `message` carries the step of its ratchet, as every ciphertext does, and in it the secret of its content. */
export type ClientFrame =
  | { readonly kind: 'login' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'receipt'; readonly id: string }
  | {
      readonly kind: 'message';
      readonly stanzaId: string;
      readonly step: number;
      readonly text: string;
      readonly secret: string;
    };

/** What the server sends. */
export type ServerFrame =
  | { readonly kind: 'success' }
  | { readonly kind: 'caught_up' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'ack'; readonly stanzaId: string }
  | { readonly kind: 'message'; readonly id: string; readonly text: string }
  | { readonly kind: 'close'; readonly code: number };

/** A message stanza that reached the server. */
export interface SeenStanza {
  readonly connectionId: ConnectionId;
  readonly machine: Machine;
  /** When the worker wrote it, in true time. */
  readonly issuedAtMs: number;
  readonly stanzaId: string;
  readonly step: number;
  readonly text: string;
  readonly secret: string;
  /** Whether its socket was still the one of its device: others are cut, so the stanza goes nowhere. */
  readonly accepted: boolean;
}

/** One connection of a client to the server; frames keep their order. */
export interface Wire {
  readonly machine: Machine;
  readonly deliver: (frame: ServerFrame) => void;
}

interface Account {
  wire: Wire | undefined;
  /** Not yet acknowledged by the device, in order; brought again at each login. */
  inbox: { readonly id: string; readonly text: string }[];
  /** What the recipient saw, in order; a repeated stanza id is shown once. */
  readonly shown: { readonly stanzaId: string; readonly text: string }[];
  readonly shownIds: Set<string>;
}

export interface WhatsAppCounts {
  logins: number;
  replaced: number;
  resent: number;
}

/** WhatsApp, as far as one linked device per account goes: one live socket, the newest; offline messages; acks. */
export class FakeWhatsApp {
  readonly counts: WhatsAppCounts = { logins: 0, replaced: 0, resent: 0 };
  /** Every login that was tried, when its client tried it. */
  readonly logins: { readonly machine: Machine; readonly issuedAtMs: number; readonly connectionId: ConnectionId }[] =
    [];
  isOut = false;
  readonly #onStanza: (stanza: SeenStanza) => void;
  readonly #accounts = new Map<ConnectionId, Account>();

  constructor(onStanza: (stanza: SeenStanza) => void) {
    this.#onStanza = onStanza;
  }

  /** Everybody is cut off, and no login is taken until `isOut` is false again. */
  goOut(): void {
    this.isOut = true;
    for (const account of this.#accounts.values()) {
      account.wire?.deliver({ kind: 'close', code: 503 });
      account.wire = undefined;
    }
  }

  /** Somebody writes to an account. */
  write(connectionId: ConnectionId, id: string, text: string): void {
    const account = this.#account(connectionId);
    account.inbox.push({ id, text });
    account.wire?.deliver({ kind: 'message', id, text });
  }

  shown(connectionId: ConnectionId): readonly { readonly stanzaId: string; readonly text: string }[] {
    return this.#account(connectionId).shown;
  }

  waiting(connectionId: ConnectionId): number {
    return this.#account(connectionId).inbox.length;
  }

  isOnline(connectionId: ConnectionId): boolean {
    return this.#account(connectionId).wire !== undefined;
  }

  /** A frame of a client has arrived. */
  take(connectionId: ConnectionId, wire: Wire, frame: ClientFrame, issuedAtMs: number): void {
    const account = this.#account(connectionId);
    if (frame.kind === 'login') this.#login(connectionId, account, wire, issuedAtMs);
    if (frame.kind === 'message') this.#message(connectionId, account, wire, frame, issuedAtMs);
    if (account.wire !== wire) return;
    if (frame.kind === 'ping') wire.deliver({ kind: 'pong' });
    if (frame.kind === 'receipt') account.inbox = account.inbox.filter(({ id }) => id !== frame.id);
  }

  /** The connection of a client is gone. */
  forget(connectionId: ConnectionId, wire: Wire): void {
    const account = this.#account(connectionId);
    if (account.wire === wire) account.wire = undefined;
  }

  #login(connectionId: ConnectionId, account: Account, wire: Wire, issuedAtMs: number): void {
    this.logins.push({ machine: wire.machine, issuedAtMs, connectionId });
    if (this.isOut) {
      wire.deliver({ kind: 'close', code: 503 });
      return;
    }
    this.counts.logins += 1;
    if (account.wire !== undefined) {
      this.counts.replaced += 1;
      account.wire.deliver({ kind: 'close', code: 440 });
    }
    account.wire = wire;
    wire.deliver({ kind: 'success' });
    for (const { id, text } of account.inbox) wire.deliver({ kind: 'message', id, text });
    wire.deliver({ kind: 'caught_up' });
  }

  #message(
    connectionId: ConnectionId,
    account: Account,
    wire: Wire,
    { stanzaId, step, text, secret }: Extract<ClientFrame, { readonly kind: 'message' }>,
    issuedAtMs: number,
  ): void {
    const accepted = account.wire === wire;
    this.#onStanza({ connectionId, machine: wire.machine, issuedAtMs, stanzaId, step, text, secret, accepted });
    if (!accepted) return;
    if (account.shownIds.has(stanzaId)) this.counts.resent += 1;
    else {
      account.shownIds.add(stanzaId);
      account.shown.push({ stanzaId, text });
    }
    wire.deliver({ kind: 'ack', stanzaId });
  }

  #account(connectionId: ConnectionId): Account {
    const known = this.#accounts.get(connectionId);
    if (known !== undefined) return known;
    const account: Account = { wire: undefined, inbox: [], shown: [], shownIds: new Set() };
    this.#accounts.set(connectionId, account);
    return account;
  }
}
