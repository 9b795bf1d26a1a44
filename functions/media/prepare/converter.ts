import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PrepareFault } from '../../../shared/media/prepareFaults.ts';
import type { Logger } from '../../../shared/platform/logger.ts';
import type { ConversionAnswer, ConversionJob, ConversionsMade } from './conversionJob.ts';
import { ConversionFolders } from './conversionFolder.ts';
import { runProgram } from './runProgram.ts';

/** A file that cannot be sent as what it is to be sent as. */
export class PrepareError extends Error {
  override readonly name = 'PrepareError';
  /** `other_codec`: it may be with ffmpeg. */
  readonly fault: PrepareFault | 'other_codec';

  constructor(fault: PrepareFault | 'other_codec', why: string) {
    super(why);
    this.fault = fault;
  }
}

export interface ConverterOptions {
  /** The program in which files are decoded: functions/media/prepare/converter/main.ts, or its bundle. */
  readonly program: string;
  /** ffmpeg, where it is installed. */
  readonly ffmpeg: string | undefined;
  /** A folder for files on their way, which is for this alone. */
  readonly folder: string;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/** Converts files, one at a time in a process: what one takes of disk and memory is all that is taken. */
export class Converter {
  readonly #options: ConverterOptions;
  readonly #folders: ConversionFolders;
  #turns: Promise<unknown> = Promise.resolve();
  #hasSaidWhatIsMissing = false;

  constructor(options: ConverterOptions) {
    this.#options = options;
    this.#folders = new ConversionFolders(options.folder);
  }

  get hasFfmpeg(): boolean {
    return this.#options.ffmpeg !== undefined;
  }

  /** Removes what earlier processes left behind that were killed. Never rejects: each file that is converted tries it again. */
  async tidy(): Promise<void> {
    await this.#folders.tidy().catch((error: unknown) => {
      this.#options.logger.warn('what an earlier process left behind could not be removed', { error });
    });
  }

  /** Calls with a folder of its own, in turn. Those before take their 30 s for each program at most. */
  inFolder<Result>(call: (folder: string) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const turn = this.#turns.then(() => {
      signal.throwIfAborted();
      return this.#folders.use(call);
    });
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  /** Does a job in a process of its own. Throws {@link PrepareError}, and an Error where the system refuses something. */
  async convert<Kind extends ConversionJob['do']>(
    job: ConversionJob & { readonly do: Kind },
    folder: string,
    signal: AbortSignal,
  ): Promise<ConversionsMade[Kind]> {
    const ended = await runProgram(process.execPath, [this.#options.program, JSON.stringify(job)], folder, signal);
    if (ended.end === 'too_costly') throw new PrepareError('too_costly', `it took too much ${ended.what}`);
    if (ended.end === 'failed') {
      // The file is not at fault where the program is missing: it is tried again until a person has seen to it.
      if (!existsSync(this.#options.program)) throw new Error('the program that converts files is not installed');
      this.#options.logger.warn('the converter broke down', {
        kind: job.do,
        error: new Error(lastOf(ended.complained)),
      });
      throw new PrepareError('broken', 'the converter broke down');
    }
    const answer = JSON.parse(ended.printed) as ConversionAnswer;
    if ('refusedBySystem' in answer) throw new Error(answer.refusedBySystem);
    if ('fault' in answer) throw new PrepareError(answer.fault, answer.why);
    return answer.made as ConversionsMade[Kind];
  }

  /**
   * Runs ffmpeg. Throws {@link PrepareError}.
   * @param missing the fault of a file that has no track of what is asked for
   */
  async ffmpeg(
    args: readonly string[],
    missing: 'no_sound' | 'no_picture',
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { ffmpeg } = this.#options;
    if (ffmpeg === undefined) {
      this.#sayWhatIsMissing();
      throw new PrepareError('needs_ffmpeg', 'there is no ffmpeg');
    }
    const ended = await runProgram(ffmpeg, args, folder, signal);
    if (ended.end === 'too_costly') throw new PrepareError('too_costly', `ffmpeg took too much ${ended.what}`);
    if (ended.end === 'ok') return;
    if (/No space left on device/.test(ended.complained)) throw new Error('there is no room on the disk for ffmpeg');
    const isEmpty = /matches no streams/.test(ended.complained);
    throw new PrepareError(isEmpty ? missing : 'broken', lastOf(ended.complained));
  }

  /** Says once what is missing here, and how it is installed. */
  #sayWhatIsMissing(): void {
    if (this.#hasSaidWhatIsMissing) return;
    this.#hasSaidWhatIsMissing = true;
    this.#options.logger.warn(
      'a file is refused since ffmpeg is not installed: apt install ffmpeg, or brew install ffmpeg',
    );
  }
}

/** The path of a file in a folder of a run. */
export function fileIn(folder: string, name: 'given' | 'sound' | 'made' | 'thumbnail'): string {
  return join(folder, name);
}

function lastOf(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
}
