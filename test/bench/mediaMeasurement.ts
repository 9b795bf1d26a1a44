import { openFile } from '../../shared/media/sealedFile.ts';
import { seal } from '../shared/media/sealed.ts';
import { noiseOf } from '../whatsapp/media/outgoingFile.ts';
import { ANN, BOB, type MediaStage } from './mediaStage.ts';
import { figuresOf, MemoryWatch } from './processFigures.ts';

export const MB = 1_024 ** 2;

export interface PathFigures {
  readonly bytes: number;
  /** The time from when the file lies at WhatsApp to the webhook `media.ready`, in milliseconds. */
  readonly readyMs: number;
  /** The CPU time of the functions, in milliseconds: all that they do meanwhile. */
  readonly cpuMs: number;
  /** Bytes through the system calls of the functions, for each byte of the file. */
  readonly movedPerByte: number;
}

/** Measures one file at a time. Returns the median of the rounds by time. */
export async function measurePath(stage: MediaStage, bytes: number, rounds: number): Promise<PathFigures> {
  const measured: PathFigures[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const sum = () => stage.functions.map(figuresOf);
    const before = sum();
    const { stanzaId, sentAtMs } = await stage.sendFile(bytes, Date.now() % 1_000_000_000);
    const { atMs } = await stage.fileOf(stanzaId);
    const after = sum();
    const grown = (name: 'cpuMs' | 'movedBytes'): number =>
      after.reduce((all, one) => all + one[name], 0) - before.reduce((all, one) => all + one[name], 0);
    measured.push({
      bytes,
      readyMs: Math.max(0, atMs - sentAtMs),
      cpuMs: grown('cpuMs'),
      movedPerByte: grown('movedBytes') / bytes,
    });
  }
  const [median] = measured.toSorted((a, b) => a.readyMs - b.readyMs).slice(Math.floor(rounds / 2));
  if (median === undefined) throw new RangeError('at least one round is needed');
  return median;
}

/** The floor: the same work without a network, a store or a queue. CPU of opening a sealed file in this process, in milliseconds. */
export async function measureFloor(bytes: number): Promise<number> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of noiseOf({ bytes, seed: 1 })) chunks.push(chunk);
  const { sealed, key, sha256 } = seal(Buffer.concat(chunks), 'WhatsApp Document Keys');
  async function* given() {
    for (let from = 0; from < sealed.length; from += 65_536) yield sealed.subarray(from, from + 65_536);
  }
  const before = process.cpuUsage();
  const found = { bytes: 0, sha256: '' };
  for await (const _chunk of openFile(given(), { use: 'document', key, sha256 }, bytes, found));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** How long texts took, in milliseconds: from a phone to the webhook, and from a request to a phone. */
export interface TextTimes {
  readonly received: readonly number[];
  readonly sent: readonly number[];
}

/** What work costs that goes on beside texts. */
export interface BesideFigures {
  /** Until the last of it was done: a file was here, or on its phone, in milliseconds. */
  readonly allMs: number;
  /** The growth of the resident memory of any one process at most, in bytes. */
  readonly functionsGrew: number;
  readonly workerGrew: number;
  /** Texts of the same connection without files, and while they came or went. */
  readonly textsBefore: TextTimes;
  readonly textsMeanwhile: TextTimes;
  /** What is left in the folder of temporary files. */
  readonly left: readonly string[];
}

export interface ParallelFigures extends BesideFigures {
  readonly files: number;
  readonly bytes: number;
}

const RECEIVE_EVERY_MS = 100;
const SEND_EVERY_MS = 200;
const QUIET_MS = 30_000;

/**
 * Measures many large files that are fetched at once, and the texts of the same connection meanwhile. The files lie at WhatsApp before, so that the
 * work of the phones, which share the machine, is not in it.
 */
export async function measureParallel(stage: MediaStage, files: number, bytes: number): Promise<ParallelFigures> {
  // A process has its code and its buffers only when it has done this once.
  await stage.fileOf((await stage.sendFile(bytes, 1)).stanzaId);
  await stage.leaveAbove(bytes - 1);
  const mediaIds: string[] = [];
  for (let seed = 1_000; mediaIds.length < files; seed += 1) mediaIds.push(await stage.leftFile(bytes, seed));
  const figures = await measureBeside(stage, async () => {
    await Promise.all(mediaIds.map((id) => stage.api.must('POST', `/v1/media/${id}/fetch`)));
    await stage.allReady(mediaIds);
  });
  await stage.leaveAbove(null);
  return { files, bytes, ...figures };
}

/**
 * Measures many large files that are sent at once, each its own, likewise. They were uploaded before, and the phone opens them afterwards, as one
 * that does not fetch large files by itself: it would share the machine.
 */
export async function measureParallelOut(stage: MediaStage, files: number, bytes: number): Promise<ParallelFigures> {
  const send = async (id: string): Promise<string> =>
    stage.send(ANN, { type: 'document', document: { id, convert: false } });
  await stage.opened(ANN, await send(await stage.bring(bytes, 2)));
  const mediaIds: string[] = [];
  for (let seed = 2_000; mediaIds.length < files; seed += 1) mediaIds.push(await stage.bring(bytes, seed));
  await stage.phones.files.openUpTo(ANN, bytes - 1);
  const sent: string[] = [];
  const sendAndShow = async (id: string): Promise<void> => {
    const stanzaId = await send(id);
    sent.push(stanzaId);
    await stage.shown(ANN, stanzaId);
  };
  const figures = await measureBeside(stage, async () => void (await Promise.all(mediaIds.map(sendAndShow))));
  await stage.phones.files.openUpTo(ANN, null);
  for (const stanzaId of sent) await stage.opened(ANN, stanzaId);
  return { files, bytes, ...figures };
}

/**
 * The floor of the two above: phones send each other as many files, of which the service knows nothing. What texts lose beside these, they
 * lose to phones and to WhatsApp's hosts, which share the machine.
 */
export async function measureParallelFloor(stage: MediaStage, files: number, bytes: number): Promise<ParallelFigures> {
  const send = async (seed: number): Promise<void> =>
    stage.opened(ANN, (await stage.sendFile(bytes, seed, [BOB, ANN])).stanzaId);
  const seeds = Array.from({ length: files }, (_, index) => 3_000 + index);
  const figures = await measureBeside(stage, async () => void (await Promise.all(seeds.map(send))));
  return { files, bytes, ...figures };
}

/** Measures texts of a connection without some work, and then beside it. */
export async function measureBeside(stage: MediaStage, work: () => Promise<void>): Promise<BesideFigures> {
  const texts = async (isOver: () => boolean): Promise<TextTimes> => {
    const both = [stage.texts(RECEIVE_EVERY_MS, isOver), stage.sends(SEND_EVERY_MS, isOver)] as const;
    const [received, sent] = await Promise.all(both);
    return { received, sent };
  };
  const quietUntilMs = performance.now() + QUIET_MS;
  const textsBefore = await texts(() => performance.now() > quietUntilMs);
  const temporary = new Set(stage.temporaryFiles());
  const [ofFunctions, ofWorker] = [new MemoryWatch(stage.functions), new MemoryWatch(stage.workers)];
  let isOver = false;
  const meanwhile = texts(() => isOver);
  const begunAtMs = performance.now();
  await work();
  const allMs = performance.now() - begunAtMs;
  isOver = true;
  return {
    allMs,
    textsBefore,
    textsMeanwhile: await meanwhile,
    functionsGrew: Math.max(...ofFunctions.stop()),
    workerGrew: Math.max(...ofWorker.stop()),
    left: stage.temporaryFiles().filter((name) => !temporary.has(name)),
  };
}

/** The value that a share of them does not exceed. @param share such as 0.99 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
