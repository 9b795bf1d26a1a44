/** The bars that a phone draws for a voice note. */
const BARS = 64;
/** Samples of one level: 5 ms at 16 kHz, so that half a second still has more levels than bars. */
const LEVEL_SAMPLES = 80;

/** Collects how loud a recording is as its samples come, in 12 kB for each minute. */
export class Loudness {
  readonly #levels: number[] = [];
  #sum = 0;
  #count = 0;

  /** @param samples between -1 and 1 */
  add(samples: Float32Array): void {
    for (const sample of samples) {
      this.#sum += Math.abs(sample);
      this.#count += 1;
      if (this.#count === LEVEL_SAMPLES) this.#close();
    }
  }

  /** The bars: the mean of the absolute samples of each 64th, as hundredths of the loudest one; zeros for silence. */
  waveform(): Uint8Array {
    if (this.#count > 0) this.#close();
    return toBars(this.#levels);
  }

  #close(): void {
    this.#levels.push(this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
  }
}

function toBars(levels: readonly number[]): Uint8Array {
  const share = levels.length / BARS;
  const means = Array.from({ length: BARS }, (_, bar) => {
    const from = Math.min(Math.floor(bar * share), Math.max(0, levels.length - 1));
    const some = levels.slice(from, Math.max(from + 1, Math.floor((bar + 1) * share)));
    return some.reduce((sum, level) => sum + level, 0) / Math.max(1, some.length);
  });
  const loudest = means.reduce((most, mean) => Math.max(most, mean), 0);
  return Uint8Array.from(means, (mean) => (loudest === 0 ? 0 : Math.round((100 * mean) / loudest)));
}
