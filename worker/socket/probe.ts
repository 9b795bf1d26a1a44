import type { BinaryNode } from '@whiskeysockets/baileys';
import { withDeadline } from '../../shared/kernel/deadline.ts';

/** The question by which WhatsApp's own clients find out whether the server lives. */
function makePing(): BinaryNode {
  return {
    tag: 'iq',
    attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }],
  };
}

/**
 * Asks a silent server for a sign of life, so that a server that lives is not taken for dead. At most one question is
 * out at a time.
 */
export class Probe {
  readonly #query: (stanza: BinaryNode) => Promise<unknown>;
  readonly #deadlineMs: number;
  #isAsking = false;

  constructor(query: (stanza: BinaryNode) => Promise<unknown>, deadlineMs: number) {
    this.#query = query;
    this.#deadlineMs = deadlineMs;
  }

  /** Asks once. Never throws: an answer shows in the last frame. */
  ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    void withDeadline('a sign of life from WhatsApp', this.#deadlineMs, () => this.#query(makePing()))
      .catch(() => undefined)
      .then(() => {
        this.#isAsking = false;
      });
  }
}
