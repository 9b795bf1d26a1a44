import type { makeWASocket } from '@whiskeysockets/baileys';
import type { Presence } from '../../../shared/connection/settings.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { Release, Scope } from '../../../shared/kernel/scope.ts';
import type { Logger } from '../../../shared/platform/logger.ts';

export interface ShownPresenceParts {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'sendNode' | 'sendPresenceUpdate'>;
  readonly scope: Pick<Scope, 'timeout'>;
  readonly logger: Pick<Logger, 'warn'>;
  /** The presence that the tenant chose. */
  readonly chosen: () => Presence;
  /** The name of the account, without which Baileys announces nothing. */
  readonly name: () => string | undefined;
}

/**
 * What WhatsApp is told of the account on one socket: whether it is there, and in which chats it types. What was asked for
 * a while ends by itself. If the worker dies before, WhatsApp ends it: an account without a socket is unavailable, and a
 * chat shows typing for 25 seconds at most. A presence that cannot be written when its time is over is announced with the
 * next login.
 */
export class ShownPresence {
  readonly #parts: ShownPresenceParts;
  #now: Presence;
  #endPresence: Release | undefined;
  /** The timers of the chats in which the account types: as many as the budget of the action allows in 25 seconds. */
  readonly #typing = new Map<string, Release>();

  constructor(parts: ShownPresenceParts) {
    this.#parts = parts;
    this.#now = parts.chosen();
  }

  /** The presence that was announced last. */
  get now(): Presence {
    return this.#now;
  }

  /**
   * Announces presence where Baileys does not: it is silent while the account has no name, which a fresh one has not before
   * the state of the app has told it. Without it WhatsApp decides by itself whether the phone goes on to ring.
   */
  announce(name: string | undefined): void {
    this.#now = this.#parts.chosen();
    if (!name) this.#write(this.#now).catch((error: unknown) => this.#failed(error));
  }

  /** Shows a presence for a while; then the chosen one is shown again. Rejects when it cannot be written. */
  async show(presence: Presence, forMs: number): Promise<void> {
    const { scope, chosen } = this.#parts;
    await this.#write(presence);
    void this.#endPresence?.();
    this.#endPresence = scope.timeout(forMs, () => {
      this.#endPresence = undefined;
      if (this.#now !== chosen()) this.#write(chosen()).catch((error: unknown) => this.#failed(error));
    });
  }

  /** Shows in a chat that the account types or records, for a while, or that it has stopped. */
  async type(state: 'composing' | 'recording' | 'paused', address: string, forMs: number): Promise<void> {
    await this.#writeChatState(state, address);
    void this.#typing.get(address)?.();
    this.#typing.delete(address);
    if (state === 'paused') return;
    const end = this.#parts.scope.timeout(forMs, () => {
      this.#typing.delete(address);
      this.#writeChatState('paused', address).catch((error: unknown) => this.#failed(error));
    });
    this.#typing.set(address, end);
  }

  async #write(type: Presence): Promise<void> {
    const { socket, name } = this.#parts;
    await withDeadline('announcing presence', deadlines.stanzaWrite.ms, () =>
      name() ? socket.sendPresenceUpdate(type) : socket.sendNode({ tag: 'presence', attrs: { type } }),
    );
    this.#now = type;
  }

  #writeChatState(state: 'composing' | 'recording' | 'paused', address: string): Promise<void> {
    return withDeadline('writing a chat state', deadlines.stanzaWrite.ms, () =>
      this.#parts.socket.sendPresenceUpdate(state, address),
    );
  }

  #failed(error: unknown): void {
    this.#parts.logger.warn('presence not announced', { error });
  }
}
