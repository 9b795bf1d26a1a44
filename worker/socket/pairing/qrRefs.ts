import type { Release, Scope } from '../../../shared/kernel/scope.ts';

/** How long a QR text lives, in milliseconds: the first one lives longer than the others, as Baileys has it (socket.js, `genPairQR`). */
export const FIRST_QR_MS = 60_000;
export const NEXT_QR_MS = 20_000;

/** The number with which Baileys closes a socket whose QR texts are spent. */
const TIMED_OUT = 408;

/** No reference is left to make a QR text of: the socket closes with the number for it. */
export class OffersSpentError extends Error {
  override readonly name = 'OffersSpentError';
  readonly output = { statusCode: TIMED_OUT } as const;

  constructor() {
    super('no reference is left');
  }
}

export interface QrRefsOptions {
  readonly scope: Pick<Scope, 'timeout'>;
  /** Called for each reference when its turn comes. */
  readonly next: (ref: string, lifeMs: number) => void;
  readonly spent: () => void;
}

/**
 * The references of one registration, each for its time. Baileys goes through them itself, and closes the socket when the last one's
 * time is over; it cannot be told that the phone has read one, and that a person signs with a passkey meanwhile.
 */
export class QrRefs {
  readonly #options: QrRefsOptions;
  #release: Release | undefined;

  constructor(options: QrRefsOptions) {
    this.#options = options;
  }

  begin([ref, ...left]: readonly string[], lifeMs = FIRST_QR_MS): void {
    const { scope, next, spent } = this.#options;
    this.end();
    if (ref === undefined) {
      spent();
      return;
    }
    this.#release = scope.timeout(lifeMs, () => this.begin(left, NEXT_QR_MS));
    next(ref, lifeMs);
  }

  /** Ends the turns: nothing is shown any more, and nothing is spent. */
  end(): void {
    void this.#release?.();
  }
}
