import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Connection } from '../../shared/connection/connection.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { acceptMessage } from '../../shared/message/acceptMessage.ts';
import { enqueueCommand } from '../../shared/message/command.ts';
import type { SendState, SentMessage } from '../../shared/message/message.ts';
import { MessageStore } from '../../shared/message/messageStore.ts';
import type { OutboundMessage } from '../../shared/message/outboundMessage.ts';
import { until } from '../whatsapp/until.ts';
import type { SceneFiles } from './sceneFiles.ts';

export interface TenantDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
  readonly shard: number;
}

const LOOK_EVERY_MS = 20;

/** The tenant of one connection: asks for things as the API does, and sees what the API shows. */
export class Tenant {
  readonly #dependencies: TenantDependencies;
  readonly #connections: ConnectionStore;
  readonly #messages: MessageStore;
  readonly #connection: Connection;

  constructor(dependencies: TenantDependencies) {
    this.#dependencies = dependencies;
    this.#connections = new ConnectionStore(dependencies);
    this.#messages = new MessageStore(dependencies);
    const nowMs = systemClock.nowMs();
    this.#connection = {
      tenantId: makeId('tnt', nowMs, systemRandom),
      connectionId: makeId('con', nowMs, systemRandom),
      label: undefined,
      shard: dependencies.shard,
      wanted: 'online',
      pairing: undefined,
      account: undefined,
      status: 'unpaired',
      statusCode: 'never_paired',
      statusSinceMs: nowMs,
      createdAtMs: nowMs,
      parkedCount: 0,
    };
  }

  /** Makes the connection, with no account linked. */
  async createConnection(): Promise<void> {
    await this.#connections.create(this.#connection, 1);
  }

  /** Accepts a text. @param to a number or the id of a group */
  send(to: string, text: string): Promise<SentMessage> {
    return this.#accept(to, { type: 'text', text: { body: text } });
  }

  /** Accepts a document that was uploaded before. @param to a number or the id of a group */
  async sendFile(to: string, caption: string, files: SceneFiles): Promise<SentMessage> {
    const id = await files.upload(this.#connection.tenantId);
    return this.#accept(to, { type: 'document', document: { id, caption, convert: false } }, files);
  }

  async #accept(to: string, content: object, files?: SceneFiles): Promise<SentMessage> {
    const connection = await this.#record();
    return acceptMessage(
      {
        ...this.#dependencies,
        messages: this.#messages,
        clock: systemClock,
        random: systemRandom,
        ...(files === undefined ? {} : { files: files.toSend }),
      },
      {
        connection,
        body: { to: to.includes('@') ? to : `+${to}`, ...content } as OutboundMessage,
        idempotencyKey: undefined,
        correlationId: makeId('cor', systemClock.nowMs(), systemRandom),
      },
    );
  }

  async stateOf({ messageId }: Pick<SentMessage, 'messageId'>): Promise<SendState | undefined> {
    const message = await this.#messages.find(this.#connection.connectionId, messageId);
    return message?.direction === 'out' ? message.state : undefined;
  }

  /**
   * Asks for a pairing, has each offer scanned, and asks again when nothing came of it, until an account is linked and online.
   * @param scan refused when whoever showed the offer is gone: then the next one is scanned
   */
  async pair(scan: (qr: string) => Promise<unknown>, isOver: () => boolean): Promise<void> {
    let scanned: string | undefined;
    while (!isOver()) {
      const { account, status } = await this.#record();
      if (account !== undefined && status === 'online') return;
      if (account === undefined && status === 'unpaired') await this.#askForPairing();
      const offer = await findPairingOffer(this.#dependencies, this.#connection.connectionId, systemClock.nowMs());
      if (offer?.method === 'qr' && offer.qr !== scanned && account === undefined) {
        scanned = offer.qr;
        await scan(offer.qr).catch(() => undefined);
      }
      await systemClock.sleep(LOOK_EVERY_MS);
    }
  }

  async #askForPairing(): Promise<void> {
    const { tenantId, connectionId, shard } = this.#connection;
    const requestedAtMs = systemClock.nowMs();
    const requestId = makeId('cor', requestedAtMs, systemRandom);
    await this.#connections.setPairing(tenantId, connectionId, { requestId, requestedAtMs, method: 'qr' });
    await enqueueCommand(
      this.#dependencies,
      shard,
      { version: 1, kind: 'control', control: 'pair', tenantId, connectionId, correlationId: requestId },
      requestId,
    );
    await until(
      'an answer to the pairing request',
      () => this.#record(),
      ({ status }) => status !== 'unpaired',
    );
  }

  async #record(): Promise<Connection> {
    const { tenantId, connectionId } = this.#connection;
    const found = await this.#connections.find(tenantId, connectionId);
    if (found === undefined) throw new Error('the record of the connection is gone');
    return found;
  }
}
