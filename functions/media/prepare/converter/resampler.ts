/** Taps on each side of a sample at the lower of both rates: a stop band some 70 dB down. */
const HALF_TAPS = 16;
/** Places between two samples for which the filter is calculated. */
const PHASES = 512;
/** The share of the band that passes whole. */
const PASSED = 0.94;

/**
 * Changes the rate of samples as they come: a windowed sinc, of which the places between samples are rounded to a 512th. Memory: the
 * filter, and one chunk.
 */
export class Resampler {
  readonly #step: number;
  readonly #half: number;
  readonly #filter: readonly Float32Array[];
  #rest: Float32Array;
  /** The place of the next sample in the rest. */
  #at: number;

  constructor(fromRate: number, toRate: number) {
    this.#step = fromRate / toRate;
    const cutoff = Math.min(1, toRate / fromRate) * PASSED;
    this.#half = Math.ceil(HALF_TAPS * Math.max(1, fromRate / toRate));
    this.#filter = Array.from({ length: PHASES }, (_, phase) => tapsFor(phase / PHASES, this.#half, cutoff));
    // Silence in front of the first sample.
    this.#rest = new Float32Array(this.#half);
    this.#at = this.#half;
  }

  /** Takes a chunk, and returns what is settled by it. */
  push(chunk: Float32Array): Float32Array {
    const samples = new Float32Array(this.#rest.length + chunk.length);
    samples.set(this.#rest);
    samples.set(chunk, this.#rest.length);
    const last = samples.length - this.#half - 1;
    const made = new Float32Array(Math.max(0, Math.ceil((last - this.#at) / this.#step) + 1));
    let count = 0;
    for (; this.#at < last; this.#at += this.#step) made[count++] = this.#sampleAt(samples, this.#at);
    const kept = Math.max(0, Math.floor(this.#at) - this.#half);
    this.#rest = samples.slice(kept);
    this.#at -= kept;
    return made.subarray(0, count);
  }

  /** Returns what is left, with silence behind the last sample. */
  end(): Float32Array {
    return this.push(new Float32Array(this.#half + 1));
  }

  #sampleAt(samples: Float32Array, at: number): number {
    const whole = Math.floor(at);
    const taps = this.#filter[Math.floor((at - whole) * PHASES)] ?? new Float32Array(0);
    const from = whole - this.#half + 1;
    let sum = 0;
    for (let tap = 0; tap < taps.length; tap += 1) sum += (taps[tap] ?? 0) * (samples[from + tap] ?? 0);
    return sum;
  }
}

function tapsFor(fraction: number, half: number, cutoff: number): Float32Array {
  const taps = Float32Array.from({ length: 2 * half }, (_, tap) => {
    const distance = tap - half + 1 - fraction;
    const phase = Math.PI * distance * cutoff;
    const sinc = phase === 0 ? 1 : Math.sin(phase) / phase;
    const place = (distance + half) / (2 * half);
    // Blackman's window.
    return sinc * (0.42 - 0.5 * Math.cos(2 * Math.PI * place) + 0.08 * Math.cos(4 * Math.PI * place));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}
