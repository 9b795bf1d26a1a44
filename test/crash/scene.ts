import type { Fact } from '../../shared/event/facts/factRows.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { createTables } from '../emulators/dynamodb.ts';
import { createQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import type { Stats } from '../whatsapp/stats.ts';
import { until } from '../whatsapp/until.ts';
import { EventsTap } from './eventsTap.ts';
import { COMMAND_WAIT_SECONDS } from './instance.ts';
import type { Life } from './lives.ts';
import type { FaultPlan } from './portWatch.ts';
import { SceneFiles } from './sceneFiles.ts';
import type { Site } from './site.ts';
import { Tenant } from './tenant.ts';
import type { Accepted, Evidence, Written } from './verdict.ts';

/** Number of the account that workers work for. Contacts have the numbers after it. */
export const ANN = '4915100000000';
const SHARD = 0;
const QUIET_MS = 60_000;

export type Ending = 'crashed' | 'quiet' | 'late';

/**
 * One account with its world: a WhatsApp of its own, tables and queues of its own, and one worker at a time. Plays the
 * tenant, the contacts and whoever starts workers; writes down what all of them see.
 */
export class Scene {
  readonly whatsApp: WhatsAppSimulator;
  readonly client: WhatsAppClient;
  readonly #site: Site;
  readonly #stage: string;
  readonly #table;
  readonly #queue;
  readonly #tap: EventsTap;
  readonly #tenant: Tenant;
  /** The files of the scene. They are made with the first one, since few scenes have any. */
  #files: SceneFiles | undefined;
  #life: Life | undefined;
  #epoch = 0;
  #contacts = 0;
  #texts = 0;
  #isPairing = false;
  /** What went wrong in the scene itself. */
  readonly #troubles: string[] = [];
  #written: Written[] = [];
  #accepted: Accepted[] = [];
  #firstFact = 0;
  #before: Stats;

  private constructor(site: Site, stage: string, whatsApp: WhatsAppSimulator) {
    this.#site = site;
    this.#stage = stage;
    this.whatsApp = whatsApp;
    this.client = new WhatsAppClient(whatsApp.controlUrl);
    const config = aStoreConfig(site, { stage });
    this.#table = makeDocumentClient(config);
    this.#queue = makeQueueClient(config);
    this.#tap = new EventsTap(this.#queue, this.#table, site.queues.queueUrlBase, stage);
    const { queueUrlBase } = site.queues;
    this.#tenant = new Tenant({ table: this.#table, queue: this.#queue, stage, queueUrlBase, shard: SHARD });
    this.#before = whatsApp.stats();
  }

  /** A world in which nothing has happened: the account has a phone, and no device is linked. */
  static async start(site: Site): Promise<Scene> {
    const stage = site.nextStage();
    const [whatsApp] = await Promise.all([
      startWhatsApp(),
      createTables(site.dynamoDb.endpoint, stage),
      createQueues(site.queues.endpoint, stage, SHARD + 1),
    ]);
    const scene = new Scene(site, stage, whatsApp);
    await scene.client.addPhone(ANN, 'Ann');
    await scene.#tenant.createConnection();
    scene.#tap.start();
    return scene;
  }

  async stop(): Promise<void> {
    this.#isPairing = false;
    await this.away();
    await this.#files?.stop();
    await this.#tap.stop();
    await this.whatsApp.stop();
    this.#table.destroy();
    this.#queue.destroy();
  }

  /** Begins to collect evidence. */
  begin(): void {
    this.#written = [];
    this.#accepted = [];
    this.#firstFact = this.#tap.facts.length;
    this.#before = this.whatsApp.stats();
  }

  /** No worker lives. */
  async away(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await life?.kill();
  }

  /** No poll of a dead worker is out any more: what is sent from here on waits for the next one. */
  async pollsOver(): Promise<void> {
    await systemClock.sleep(COMMAND_WAIT_SECONDS * 1_000);
  }

  /** A new worker claims the shard, as the next owner. */
  async launch(arm?: { readonly plan: FaultPlan | undefined }): Promise<void> {
    await this.away();
    const life = await this.#site.nextLife();
    this.#life = life;
    this.#epoch += 1;
    const { dynamoDb, queues, keyFile } = this.#site;
    life.begin(
      {
        stage: this.#stage,
        dynamoDbEndpoint: dynamoDb.endpoint,
        sqsEndpoint: queues.endpoint,
        queueUrlBase: queues.queueUrlBase,
        keyFile,
        whatsappUrl: this.whatsApp.webSocketUrl,
        rootKey: this.whatsApp.rootKey,
        shard: SHARD,
        epoch: this.#epoch,
      },
      arm,
    );
  }

  async arm(plan: FaultPlan | undefined): Promise<void> {
    await this.#living().arm(plan);
  }

  /** The calls since the worker was armed, or undefined: it died just now. */
  disarm(): Promise<readonly string[] | undefined> {
    return this.#living().disarm();
  }

  /** A person whom the account does not know. Returns the number. */
  async addContact(): Promise<string> {
    this.#contacts += 1;
    const number = String(Number(ANN) + this.#contacts);
    await this.client.addPhone(number, `Contact ${this.#contacts}`);
    return number;
  }

  /** A group of contacts with the account in it. Returns its id. */
  async addGroup(creator: string, others: readonly string[]): Promise<string> {
    return (await this.client.addGroup(creator, 'a group', [ANN, ...others])).id;
  }

  /** Contacts write to the account, or into a group that it is in. */
  async write(from: string, count: number, to = ANN): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const text = this.#nextText('in');
      this.#written.push({ id: await this.client.write(from, to, text), text });
    }
  }

  /** The tenant sends. @param readers who must see it, if `to` is a group */
  async send(to: string, count: number, readers: readonly string[] = [to]): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const text = this.#nextText('out');
      const { messageId, stanzaId } = await this.#tenant.send(to, text);
      this.#accepted.push({ messageId, stanzaId, text, readers, isRead: false });
    }
  }

  /** The tenant sends documents, each a file of its own with a caption. @param readers who must see it, if `to` is a group */
  async sendFiles(to: string, count: number, readers: readonly string[] = [to]): Promise<void> {
    const config = aStoreConfig(this.#site, { stage: this.#stage, ...this.#site.objects.config });
    this.#files ??= new SceneFiles(config, `http://${this.whatsApp.mediaHosts[0]}`);
    for (let index = 0; index < count; index += 1) {
      const text = this.#nextText('out');
      const { messageId, stanzaId } = await this.#tenant.sendFile(to, text, this.#files);
      this.#accepted.push({ messageId, stanzaId, text, readers, isRead: false });
    }
  }

  /** Lets the readers of all phones look at all that we have sent. */
  async readAll(): Promise<void> {
    for (const accepted of this.#accepted) {
      for (const reader of accepted.readers) await this.client.read(reader, accepted.stanzaId);
      accepted.isRead = true;
    }
  }

  /** The tenant asks for a pairing, and the owner of the phone scans what is shown, until the account is linked. */
  pair(): void {
    this.#isPairing = true;
    const scan = (qr: string): Promise<unknown> => this.client.scan(ANN, qr);
    const over = (): void => {
      this.#isPairing = false;
    };
    void this.#tenant
      .pair(scan, () => !this.#isPairing)
      .then(over, (error: unknown) => this.#troubles.push(String(error)));
  }

  /**
   * Waits until all that was begun has come to its end, or the worker is dead.
   * @param unfinished what has not, or undefined; left out for all that a scene knows of
   */
  async quiet(unfinished: () => Promise<string | undefined> = () => this.#unfinished()): Promise<Ending> {
    const life = this.#living();
    let isDead = false;
    void life.crashed.then(() => {
      isDead = true;
    });
    const unless = async (): Promise<string | undefined> => (isDead ? undefined : unfinished());
    try {
      await until('quiet', unless, (left) => isDead || left === undefined, QUIET_MS);
    } catch {
      return 'late';
    }
    return isDead ? 'crashed' : 'quiet';
  }

  /** @param inFlight sends that a crash may have caught on their way */
  async evidence(inFlight: number): Promise<Evidence> {
    const account = this.whatsApp.world.accounts.get(ANN);
    const states = await Promise.all(
      this.#accepted.map(async (accepted) => [accepted.messageId, await this.#tenant.stateOf(accepted)] as const),
    );
    const readers = new Set(this.#accepted.flatMap((accepted) => accepted.readers));
    return {
      written: this.#written,
      accepted: this.#accepted,
      facts: this.#facts(),
      shown: new Map([...readers].map((reader) => [reader, this.#shownTo(reader)])),
      states: new Map(states),
      before: this.#before,
      after: this.whatsApp.stats(),
      waiting: this.#waiting(),
      devices: account?.devices.size ?? 0,
      inFlight,
      broken: [...(this.#life?.broken ?? []), ...this.#troubles],
    };
  }

  /** What has not come to its end, or undefined. Cheap things first: it is asked many times a second. */
  async #unfinished(): Promise<string | undefined> {
    if (this.#isPairing) return 'a pairing';
    if (!this.#living().isOnline) return 'a login';
    const facts = this.#facts();
    const published = new Set<string>(facts.map((fact) => (fact.kind === 'message' ? fact.stanzaId : '')));
    if (this.#written.some(({ id }) => !published.has(id))) return 'a message to us';
    if (this.#waiting() > 0) return 'a stanza for us';
    for (const { messageId, stanzaId, readers, isRead } of this.#accepted) {
      if (!readers.every((reader) => this.#shownTo(reader).some(({ id }) => id === stanzaId))) return 'a send';
      if (!facts.some((fact) => fact.kind === 'send_result' && fact.messageId === messageId)) return 'a result';
      const receipts = facts.filter((fact) => fact.kind === 'receipt' && fact.stanzaId === stanzaId);
      if (receipts.length < readers.length || (isRead && !receipts.some(isOfReading))) return 'a receipt';
    }
    return (await this.#tap.hasCommands(SHARD)) ? 'a command' : undefined;
  }

  #facts(): readonly Fact[] {
    return this.#tap.facts.slice(this.#firstFact);
  }

  #waiting(): number {
    const devices = [...(this.whatsApp.world.accounts.get(ANN)?.devices.values() ?? [])];
    return devices.reduce((sum, { pending }) => sum + pending.length, 0);
  }

  #shownTo(reader: string) {
    const transcript = this.whatsApp.world.accounts.get(reader)?.phone.transcript ?? [];
    return transcript.filter(({ from }) => from === ANN);
  }

  #nextText(direction: string): string {
    this.#texts += 1;
    return `${direction} ${this.#texts}`;
  }

  #living(): Life {
    if (this.#life === undefined) throw new Error('no worker lives');
    return this.#life;
  }
}

function isOfReading(fact: Fact): boolean {
  return fact.kind === 'receipt' && fact.state === 'read';
}
