import type { Logger } from '../../shared/platform/logger.ts';
import type { PatientPlace, PatientPlaces } from '../../shared/webhook/patientPlaces.ts';

/**
 * Whether a batch of the usual queue may wait longer than a second for its receivers (`slowEndpoint.ts`). It asks for a place at the first
 * receiver that makes it wait, once, and all its posts go by the answer.
 *
 * - The question fails: the batch may not wait, since others may be waiting for it.
 * - The place cannot be given back: it is free when its time is over.
 */
export class BatchPatience {
  readonly #places: PatientPlaces;
  readonly #logger: Logger;
  #asked: Promise<PatientPlace | undefined> | undefined;

  constructor(places: PatientPlaces, logger: Logger) {
    this.#places = places;
    this.#logger = logger;
  }

  /** Never rejects. */
  async mayWait(): Promise<boolean> {
    this.#asked ??= this.#places.take().catch((error: unknown) => {
      this.#logger.warn('no place to wait for a receiver could be had', { error });
      return undefined;
    });
    return (await this.#asked) !== undefined;
  }

  /** Gives back what was taken, when the last post of the batch has ended. Never rejects. */
  async end(): Promise<void> {
    const place = await this.#asked;
    if (place === undefined) return;
    await this.#places.giveBack(place).catch((error: unknown) => {
      this.#logger.warn('a place to wait for a receiver is free when its time is over', { error });
    });
  }
}
