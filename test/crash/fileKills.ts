import { createHash } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import sharp from 'sharp';
import { newIds } from '../shared/event/eventStores.ts';
import { aRecord } from '../functions/queueStack.ts';
import type { BroughtFile } from '../../shared/media/broughtFile.ts';
import { objectKeyOf } from '../../shared/media/media.ts';
import type { SendJob } from '../../shared/media/sendJob.ts';
import { isPlain, type UploadedFile } from '../../shared/media/uploadedFile.ts';
import { uploadNameOf } from '../../shared/media/upload.ts';
import type { CorrelationId, MediaId, TenantId } from '../../shared/kernel/id.ts';
import { FileWorld } from './fileWorld.ts';
import { MediaLife } from './fileLives.ts';
import type { FaultPlan } from './portWatch.ts';

/** What a file is on its way to. */
export const ways = [
  'from WhatsApp',
  'from a link',
  'to WhatsApp as it is',
  'to channels as it is',
  'to WhatsApp made into a photo',
] as const;
export type Way = (typeof ways)[number];

/** What became of a file, when all is over. */
export interface FileOutcome {
  /** Whether the process died where it was to. */
  readonly isDead: boolean;
  /** The runs that it took until its job was over. */
  readonly runs: number;
  /** What does not hold, in sentences. */
  readonly problems: readonly string[];
}

/** A file in three parts in the store. */
const LARGE_BYTES = 11 * 1_024 * 1_024;
/** A job is over with its second run; one that is told to wait for itself comes a third time. */
const MOST_RUNS = 3;
const SPARES = 2;

/** A job, and what is wrong with its end. */
interface Case {
  readonly record: SQSRecord;
  readonly judge: () => Promise<readonly string[]>;
}

/**
 * Kills of the process of the media function at its calls. Each job is given to one process, which is killed, and then to others until it is over, as the
 * queue does; the stores and the hosts are the same throughout.
 */
export class FileKills {
  readonly world: FileWorld;
  readonly #dynamoDb: string;
  readonly #lives: MediaLife[] = [];
  #jobs = 0;

  private constructor(world: FileWorld, dynamoDb: string) {
    this.world = world;
    this.#dynamoDb = dynamoDb;
  }

  static async start(): Promise<FileKills> {
    const world = await FileWorld.start();
    const { hostname, port, protocol } = await world.stack.table.config.endpoint!();
    return new FileKills(world, `${protocol}//${hostname}:${port}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#lives.map((life) => life.kill()));
    await this.world.stop();
  }

  /** The calls of one job without a kill. */
  async record(way: Way): Promise<readonly string[]> {
    const { record } = await this.#aCase(way);
    const life = this.#nextLife();
    const run = await life.run(record);
    await life.kill();
    if (run?.isDone !== true) throw new Error(`it fails without a kill: ${run?.error ?? 'it is not done'}`);
    await this.world.takeTold();
    return run.calls;
  }

  /** Kills a process at a call of a job. */
  async play(way: Way, plan: FaultPlan): Promise<FileOutcome> {
    const { world } = this;
    world.uploadHost.uploads.splice(0);
    const { record, judge } = await this.#aCase(way);
    const first = this.#nextLife();
    const killed = await first.run(record, plan);
    await first.kill();
    let runs = 1;
    let last = killed;
    let next: MediaLife | undefined;
    for (; last?.isDone !== true && runs < MOST_RUNS; runs += 1) {
      next ??= this.#nextLife();
      const attributes = { ...record.attributes, ApproximateReceiveCount: String(runs + 1) };
      last = await next.run({ ...record, attributes });
    }
    // The one that brought it to its end dies in the next case.
    if (next !== undefined) this.#lives.unshift(next);
    const problems = [
      ...(last?.isDone === true ? [] : [`its job is not over: ${last?.error ?? 'it comes again'}: ${next?.logged}`]),
      ...(await judge()),
      ...world.temporary().map((name) => `a temporary file is left: ${name}`),
    ];
    return { isDead: killed === undefined, runs, problems };
  }

  #nextLife(): MediaLife {
    while (this.#lives.length < SPARES) this.#lives.push(new MediaLife(this.world.environment(this.#dynamoDb)));
    const life = this.#lives.shift();
    if (this.#lives.length < SPARES) this.#lives.push(new MediaLife(this.world.environment(this.#dynamoDb)));
    if (life === undefined) throw new Error('no process was started');
    return life;
  }

  async #aCase(way: Way): Promise<Case> {
    switch (way) {
      case 'from WhatsApp':
        return this.#fromWhatsApp(noise(this.#jobs));
      case 'from a link':
        return this.#fromALink(noise(this.#jobs));
      case 'to channels as it is':
        return this.#toWhatsApp(noise(this.#jobs), { as: 'document', convert: false, plain: true });
      case 'to WhatsApp as it is':
        return this.#toWhatsApp(noise(this.#jobs), { as: 'document', convert: false });
      default:
        return this.#toWhatsApp(await aPhoto(this.#jobs), { as: 'image', convert: true });
    }
  }

  async #fromWhatsApp(plain: Buffer): Promise<Case> {
    const { world } = this;
    const media = await world.aMessageFile(plain);
    const judge = async (): Promise<readonly string[]> => {
      const row = await world.media().find(media.mediaId);
      const { factKeys } = await world.takeTold();
      return [
        ...(row?.state === 'ready' && row.sha256 === hashOf(plain) ? [] : [`its row is ${row?.state}`]),
        ...((await world.hashOf(objectKeyOf(row ?? media))) === hashOf(plain) ? [] : ['its object is not its bytes']),
        ...(new Set(factKeys).size === 1 ? [] : [`it was told under ${new Set(factKeys).size} keys`]),
      ];
    };
    return { record: this.#recordOf({ version: 1, tenantId: media.tenantId, mediaId: media.mediaId }), judge };
  }

  async #fromALink(plain: Buffer): Promise<Case> {
    const { world } = this;
    const file = await world.aLinkedFile(plain);
    const judge = async (): Promise<readonly string[]> => {
      const row = await world.brought().find(file.mediaId);
      return [
        ...(row?.state === 'ready' && row.sha256 === hashOf(plain) ? [] : [`its row is ${row?.state}`]),
        ...((await world.hashOf(file.objectKey)) === hashOf(plain) ? [] : ['its object is not its bytes']),
      ];
    };
    return { record: this.#recordOf({ version: 1, tenantId: file.tenantId, mediaId: file.mediaId }), judge };
  }

  async #toWhatsApp(plain: Buffer, how: Pick<SendJob, 'as' | 'convert' | 'plain'>): Promise<Case> {
    const { world } = this;
    const file = await world.anUploadedFile(plain);
    const job: SendJob = {
      ...jobOf(file),
      ...how,
      hosts: [world.uploadHost.name],
    };
    const judge = async (): Promise<readonly string[]> => {
      const row = await world.uploads().find(uploadNameOf(file, how));
      const { commands } = await world.takeTold();
      const kinds = new Set(world.uploadHost.uploads.map(({ sha256 }) => sha256));
      const lies = row?.state === 'uploaded' ? hashAtWhatsApp(row.file) : '';
      const object = row?.state === 'uploaded' ? await world.hashOf(row.file.prepared.objectKey) : undefined;
      return [
        ...(row?.state === 'uploaded' ? [] : [`its row is ${row?.state}`]),
        ...(kinds.size === 1 && kinds.has(lies) ? [] : [`${kinds.size} different files were uploaded`]),
        ...(row?.state === 'uploaded' && object === row.file.prepared.sha256 ? [] : ['its object is not what is sent']),
        ...(commands > 0 ? [] : ['no worker was told']),
      ];
    };
    return { record: this.#recordOf(job), judge };
  }

  #recordOf(body: object): SQSRecord {
    return aRecord(JSON.stringify(body), { id: `job-${(this.#jobs += 1)}` });
  }
}

function jobOf({ tenantId, mediaId }: BroughtFile & { tenantId: TenantId; mediaId: MediaId }) {
  const { connectionId } = newIds();
  const correlationId = 'cor-of-test' as CorrelationId;
  return {
    version: 1,
    kind: 'send',
    tenantId,
    connectionId,
    shard: 1,
    correlationId,
    mediaId,
    round: 0,
    token: 't',
  } as const;
}

/** Bytes that no other job has. */
function noise(seed: number): Buffer {
  const bytes = Buffer.alloc(LARGE_BYTES, `file ${seed} `);
  bytes.writeUInt32LE(seed);
  return bytes;
}

function aPhoto(seed: number): Promise<Buffer> {
  const background = { r: seed % 256, g: Math.floor(seed / 256) % 256, b: 99 };
  return sharp({ create: { width: 640, height: 480, channels: 3, background } })
    .png()
    .toBuffer();
}

/** The hash, in base64url, of a file as it lies at WhatsApp. */
const hashAtWhatsApp = (file: UploadedFile): string =>
  Buffer.from(isPlain(file) ? file.prepared.sha256 : file.sealedSha256, 'base64').toString('base64url');

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');
