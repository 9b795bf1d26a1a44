/**
 * Converts one file and ends: the process in which bytes of strangers are decoded. It has no environment, and what it is to do
 * is its one argument, in JSON. It prints an answer ({@link ConversionAnswer}), and ends by itself when it takes too much
 * memory, or when the process is gone that began it.
 */
import { mostResidentBytes, tooHeavyCode, type ConversionAnswer, type ConversionJob } from '../conversionJob.ts';
import { ConversionError } from './conversionError.ts';

const WATCH_MS = 100;
const parent = process.ppid;
setInterval(() => {
  if (process.memoryUsage.rss() > mostResidentBytes) process.exit(tooHeavyCode);
  if (process.ppid !== parent) process.exit(1);
}, WATCH_MS).unref();

const answer = await convert(JSON.parse(process.argv[2] ?? '{}') as ConversionJob);
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));

async function convert(job: ConversionJob): Promise<ConversionAnswer> {
  try {
    return { made: await run(job) };
  } catch (error) {
    if (error instanceof ConversionError) return { fault: error.fault, why: whyOf(error) };
    // What the system refuses, such as room on a disk, is no fault of the file.
    if (error instanceof Error && 'syscall' in error) return { refusedBySystem: error.message };
    return { fault: 'broken', why: whyOf(error) };
  }
}

/** Does a job. Each loads what it needs alone. */
async function run(job: ConversionJob): Promise<object> {
  switch (job.do) {
    case 'photo':
      return (await import('./pictures.ts')).makePhoto(job.path, job.out);
    case 'portrait':
    case 'card':
      return (await import('./pictures.ts')).makeSquare(job.do, job.path, job.out);
    case 'picture':
      return (await import('./pictures.ts')).lookAtPicture(job.path);
    case 'sticker':
      return (await import('./pictures.ts')).makeSticker(job.path, job.out);
    case 'pack':
      return (await import('./stickerPack.ts')).makePack(job.path, job.out);
    case 'voice':
      return (await import('./sounds.ts')).makeVoice(job);
    case 'audio':
      return (await import('./sounds.ts')).makeAudio(job);
    case 'film':
      return (await import('./films.ts')).lookAtFilm(job.path);
    case 'mp4': {
      await (await import('./films.ts')).writeAsMp4(job.path, job.out);
      return {};
    }
    default:
      return job satisfies never;
  }
}

function whyOf(error: unknown): string {
  const { message = '', cause } = error instanceof Error ? error : { message: String(error) };
  return `${message}${cause instanceof Error ? `: ${cause.message}` : ''}`.slice(0, 300);
}
