import { Encoder } from '@evan/opus';
import { joinFrames } from './opusPackets.ts';
import { writeOggOpus } from './ogg.ts';

/** How a sound is encoded. */
export interface OpusForm {
  /** Samples a second. */
  readonly rate: 16_000 | 48_000;
  readonly application: 'voip' | 'audio';
  /** Bits a second. */
  readonly bitrate: number;
  /** Frames of 20 ms in one packet. */
  readonly framesInPacket: 1 | 3;
  /** Samples at 48 kHz that the encoder is late by (OPUS_GET_LOOKAHEAD, measured: 104 at 16 kHz, 312 at 48 kHz). */
  readonly preSkip: number;
}

export const FRAME_MS = 20;

export const opusForms = {
  /** A voice note as phones record it: wide band, three frames in a packet. */
  voice: { rate: 16_000, application: 'voip', bitrate: 24_000, framesInPacket: 3, preSkip: 312 },
  /** A sound in full band. Players of phones take one channel: Cloud API, "Supported media types". */
  audio: { rate: 48_000, application: 'audio', bitrate: 64_000, framesInPacket: 1, preSkip: 312 },
} as const satisfies Readonly<Record<string, OpusForm>>;

/** A third less work than the encoder's own choice, and no difference that is heard in speech. */
const COMPLEXITY = 5;
/** OPUS_SET_FORCE_MODE of libopus (opus_private.h) and its mode for speech alone: all frames are of one sort, so that they can share a packet. */
const [FORCE_MODE, SPEECH] = [11_002, 1_000];

/** Encodes one channel as its samples come. Memory: what was encoded, and one frame. */
export class OpusEncoding {
  readonly #form: OpusForm;
  readonly #encoder: Encoder;
  readonly #frame: Int16Array;
  readonly #packets: Uint8Array[] = [];
  #frames: Uint8Array[] = [];
  #filled = 0;
  #samples = 0;

  constructor(form: OpusForm) {
    this.#form = form;
    this.#frame = new Int16Array((form.rate * FRAME_MS) / 1_000);
    this.#encoder = new Encoder({ channels: 1, sample_rate: form.rate, application: form.application });
    this.#encoder.bitrate = form.bitrate;
    this.#encoder.complexity = COMPLEXITY;
    if (form.framesInPacket > 1) {
      this.#encoder.signal = 'voice';
      this.#encoder.bandwidth = 'wideband';
      this.#encoder.ctl(FORCE_MODE, SPEECH);
    }
  }

  /** @param samples between -1 and 1, at the rate of the form */
  add(samples: Float32Array): void {
    this.#samples += samples.length;
    this.#push(samples);
  }

  /** The file, of all that was added. */
  finish(): Buffer {
    const { rate, framesInPacket, preSkip } = this.#form;
    const frame = this.#frame.length;
    const late = Math.ceil((preSkip * rate) / 48_000);
    // Silence until the last sample is out of the encoder, and its packet is full.
    const whole = Math.ceil((this.#samples + late) / (frame * framesInPacket)) * frame * framesInPacket;
    this.#push(new Float32Array(whole - this.#samples));
    return writeOggOpus({
      sampleRate: rate,
      preSkip,
      packetMs: FRAME_MS * framesInPacket,
      heard: Math.round((this.#samples * 48_000) / rate),
      packets: this.#packets,
    });
  }

  #push(samples: Float32Array): void {
    for (const sample of samples) {
      this.#frame[this.#filled++] = Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_767)));
      if (this.#filled === this.#frame.length) this.#encode();
    }
  }

  #encode(): void {
    this.#filled = 0;
    // The encoder uses its memory again.
    this.#frames.push(Uint8Array.from(this.#encoder.encode(this.#frame)));
    if (this.#frames.length < this.#form.framesInPacket) return;
    const [first = new Uint8Array(1)] = this.#frames;
    const bodies = this.#frames.map((packet) => packet.subarray(1));
    this.#packets.push(this.#frames.length === 1 ? first : joinFrames(first[0] ?? 0, bodies));
    this.#frames = [];
  }
}
