import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { startEventSource, type EventSource } from '../../infra/local/eventSource.ts';
import { mediaParts } from '../../functions/media/composition.ts';
import { makeMediaHandler } from '../../functions/media/handler.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, type MediaId, type TenantId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { broughtKeyOf } from '../../shared/media/broughtFile.ts';
import { findToSend, type FilesToSend } from '../../shared/media/filesToSend.ts';
import { makePollingClient } from '../../shared/platform/aws.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import type { ObjectConfig } from '../../shared/platform/objectConfig.ts';
import { mediaQueueName, mediaTimes } from '../../shared/platform/queues.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { CONVERTER_PROGRAM } from '../functions/media/prepare/preparing.ts';

const WAIT_SECONDS = 1;
const FILE_BYTES = 20_000;

/** The files of a scene: what its tenant has uploaded, and the media function, which lives on when workers die. */
export class SceneFiles {
  readonly #parts: ReturnType<typeof mediaParts>;
  readonly #source: EventSource;

  /** @param filesUrl where the files of WhatsApp lie */
  constructor(config: StoreConfig & ObjectConfig, filesUrl: string) {
    this.#parts = mediaParts({ ...config, filesUrl, converterFile: CONVERTER_PROGRAM, programFolders: '' });
    const queueName = mediaQueueName(config.stage);
    this.#source = startEventSource({
      polling: makePollingClient(config, 1, WAIT_SECONDS),
      acting: this.#parts.queue,
      queueName,
      queueUrl: `${config.queueUrlBase}${queueName}`,
      handler: makeMediaHandler({ ...this.#parts, metrics: silentMetrics, logger: silentLogger }),
      batchSize: 10,
      waitSeconds: WAIT_SECONDS,
      timeoutMs: mediaTimes.timeoutSeconds * 1_000,
      concurrency: 2,
      gatherMs: 0,
      deleteLingerMs: 0,
      logger: silentLogger,
    });
  }

  /** The files that messages may be made of, as accept looks for them. */
  readonly toSend: FilesToSend = {
    find: (tenantId, mediaId) => findToSend(this.#parts.media, tenantId, mediaId),
    bring: () => Promise.reject(new Error('no message of a scene has a link')),
  };

  /** A tenant uploads a file that nobody has seen before. */
  async upload(tenantId: TenantId): Promise<MediaId> {
    const { brought, objects } = this.#parts;
    const nowMs = systemClock.nowMs();
    const mediaId = makeId('med', nowMs, systemRandom);
    const objectKey = broughtKeyOf(tenantId, mediaId, 90);
    const bytes = Readable.from([randomBytes(FILE_BYTES)]);
    await objects.write(objectKey, bytes, { contentType: 'x/y' }, new AbortController().signal);
    const file = { mediaId, tenantId, broughtBy: 'upload', state: 'ready', objectKey, bytes: FILE_BYTES } as const;
    await brought.create({ ...file, createdAtMs: nowMs });
    return mediaId;
  }

  async stop(): Promise<void> {
    await this.#source.stop();
    await Promise.all([this.#parts.source.close(), this.#parts.sending.hosts.close(), this.#parts.links.close()]);
  }
}
