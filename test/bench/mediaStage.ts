import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { startWebhookReceiver, type ReceivedEvent, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { noiseOf } from '../whatsapp/media/outgoingFile.ts';
import { until } from '../whatsapp/until.ts';
import { processesBelow } from './processFigures.ts';

export const SHOP = '4915100000001';
export const ANN = '4915100000002';
export const BOB = '4915100000003';
/** A machine that does other things, too, takes many minutes for the largest file. */
const PATIENCE_MS = 1_500_000;
/**
 * The pause between two looks for a file, in milliseconds. A look brings all that a phone shows, and many files are looked for at once:
 * at a fast pace the looks alone would hold up the texts that are measured meanwhile.
 */
const LOOK_EVERY_MS = 500;

/** The embedded stack with one worker, as files are measured on it: real processes, and a tenant with a webhook. */
export class MediaStage {
  readonly stack: RunningStack;
  readonly phones: WhatsAppClient;
  readonly api: ApiClient;
  #connection = '';
  readonly #receiver: WebhookReceiver;
  readonly #folders: readonly [data: string, temporary: string];

  private constructor(
    stack: RunningStack,
    receiver: WebhookReceiver,
    api: ApiClient,
    folders: readonly [data: string, temporary: string],
  ) {
    this.stack = stack;
    this.phones = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    this.api = api;
    this.#receiver = receiver;
    this.#folders = folders;
  }

  static async start(): Promise<MediaStage> {
    const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-media-'));
    const temporary = mkdtempSync(join(tmpdir(), 'holdfast-media-tmp-'));
    // The processes of the stack have a folder of temporary files of their own, in which everything is theirs.
    const { TMPDIR } = process.env;
    process.env['TMPDIR'] = temporary;
    const stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      shards: 1,
      workerSettings: { HOLDFAST_PACE_BUDGETS: 'off' },
      say: () => undefined,
      onBroken: (reason) => {
        throw new Error(reason);
      },
    });
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    const receiver = await startWebhookReceiver();
    const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    const stage = new MediaStage(stack, receiver, api, [dataDir, temporary]);
    for (const number of [SHOP, ANN, BOB]) await stage.phones.addPhone(number, number);
    receiver.trust(String((await api.must('POST', '/v1/webhooks', { url: receiver.url }))['secret']));
    stage.#connection = await pairSandboxPhone(api, stage.phones, { number: SHOP, method: 'qr' });
    return stage;
  }

  async stop(): Promise<void> {
    await this.#receiver.stop();
    await this.stack.stop();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  /** The temporary files of all processes of the stack. */
  temporaryFiles(): readonly string[] {
    return readdirSync(this.#folders[1], { recursive: true, encoding: 'utf8' });
  }

  /** Leaves files at WhatsApp that are larger than this, or none. */
  async leaveAbove(bytes: number | null): Promise<void> {
    const settings = { media: bytes === null ? null : { mostBytes: bytes } };
    await this.api.must('PATCH', `/v1/connections/${this.#connection}`, { settings });
  }

  /** Sends a file that is left at WhatsApp. Returns its id. The worker takes a setting over a moment later than the API. */
  async leftFile(bytes: number, seed: number): Promise<string> {
    for (;;) {
      const { stanzaId } = await this.sendFile(bytes, seed);
      const { data } = await this.event('the message', isMessage(stanzaId));
      const [media] = data['media'] as readonly { readonly id: string; readonly state: string }[];
      if (media?.state === 'left') return media.id;
      await this.fileOf(stanzaId);
    }
  }

  /** The connection of the account. */
  get connection(): string {
    return this.#connection;
  }

  /** The processes of functions, that of the media function among them, which is started with the first file. */
  get functions(): readonly number[] {
    return ['functionsHost', 'mediaHost'].flatMap((name) => processesBelow(process.pid, name));
  }

  get workers(): readonly number[] {
    return this.stack.workers().map(({ pid }) => pid);
  }

  /** Waits for an event. */
  async event(what: string, isIt: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent> {
    const found = await until(
      what,
      () => this.#receiver.events.find(isIt),
      (event) => event !== undefined,
      PATIENCE_MS,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** A phone sends a document of noise. Resolves when it lies at WhatsApp and its message is on its way. */
  async sendFile(
    bytes: number,
    seed: number,
    [from, to]: readonly [from: string, to: string] = [ANN, SHOP],
  ): Promise<{ readonly stanzaId: string; readonly sentAtMs: number }> {
    // The client of the control API would give up before a large file is sealed.
    const response = await fetch(`${this.stack.whatsAppControlUrl ?? ''}/phones/${from}/messages`, {
      method: 'POST',
      body: JSON.stringify({ to, media: { kind: 'document', noise: { bytes, seed } } }),
    });
    const { id } = (await response.json()) as { readonly id: string };
    return { stanzaId: id, sentAtMs: Date.now() };
  }

  /** Waits until a file has ended; throws unless it is here. */
  async fileOf(stanzaId: string): Promise<ReceivedEvent> {
    const received = await this.event('the message', isMessage(stanzaId));
    const { messageId } = received.data;
    const ended = await this.event(
      'the file',
      ({ type, data }) => type.startsWith('media.') && data['messageId'] === messageId,
    );
    if (ended.type !== 'media.ready') throw new Error(`the file has failed: ${JSON.stringify(ended.data)}`);
    return ended;
  }

  /** Waits until files are here. */
  async allReady(mediaIds: readonly string[]): Promise<void> {
    const missing = new Set(mediaIds);
    let seen = 0;
    await until(
      'the files',
      () => {
        for (const { type, data } of this.#receiver.events.slice(seen)) {
          seen += 1;
          if (type === 'media.ready') missing.delete((data['media'] as { readonly id: string }).id);
        }
        return missing.size;
      },
      (left) => left === 0,
      PATIENCE_MS,
      LOOK_EVERY_MS,
    );
  }

  /** The tenant uploads a file of noise, in parts where it is large. Returns its id. */
  async bring(bytes: number, seed: number): Promise<string> {
    const answer = await this.api.must('POST', '/v1/media', { bytes, mime_type: 'application/pdf', filename: 'a.pdf' });
    const {
      url,
      part_bytes: most = bytes,
      parts = [{ url }],
    } = answer['upload'] as {
      readonly url?: string;
      readonly part_bytes?: number;
      readonly parts?: readonly { readonly url?: string }[];
    };
    const urls = parts.map(({ url: partUrl = '' }) => partUrl).values();
    for await (const body of inParts(noiseOf({ bytes, seed }), most)) {
      const { status } = await fetch(urls.next().value ?? '', { method: 'PUT', body });
      if (status !== 200) throw new Error(`a part was not taken: ${status}`);
    }
    return String(answer['id']);
  }

  /** Asks for a message to be sent. Returns its stanza id. */
  async send(to: string, content: object): Promise<string> {
    const path = `/v1/connections/${this.#connection}/messages`;
    return String((await this.api.must('POST', path, { to: `+${to}`, ...content }))['stanzaId']);
  }

  /** Waits until a phone shows a message. */
  async shown(number: string, stanzaId: string): Promise<void> {
    await until(
      'the message on the phone',
      async () => (await this.phones.messages(number)).some(({ id }) => id === stanzaId),
      (isThere) => isThere,
      PATIENCE_MS,
      LOOK_EVERY_MS,
    );
  }

  /** Waits until a phone shows a file, and has found nothing wrong with it. */
  async opened(number: string, stanzaId: string): Promise<void> {
    await this.shown(number, stanzaId);
    const { state, complaints } = await until(
      'the file',
      () => this.phones.files.shown(number, stanzaId),
      (shown) => shown.state !== 'opening',
      PATIENCE_MS,
      LOOK_EVERY_MS,
    );
    if (state !== 'opened' || complaints.length > 0) throw new Error(`a file is ${state}: ${complaints.join(', ')}`);
  }

  /** Asks for texts to be sent, at a steady pace until it is told to end. Returns how long each took to its phone, in milliseconds. */
  async sends(everyMs: number, isOver: () => boolean): Promise<readonly number[]> {
    const askedAtMs = new Map<string, number>();
    for (let number = 0; !isOver(); number += 1) {
      const nextAtMs = performance.now() + everyMs;
      const atMs = Date.now();
      askedAtMs.set(await this.send(BOB, { type: 'text', text: { body: `sent ${number} ${atMs}` } }), atMs);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextAtMs - performance.now())));
    }
    const shown = await until(
      'the texts on the phone',
      async () => (await this.phones.messages(BOB)).filter(({ id }) => askedAtMs.has(id)),
      (found) => found.length === askedAtMs.size,
      PATIENCE_MS,
    );
    return shown.map(({ id, at }) => at - (askedAtMs.get(id) ?? at));
  }

  /** Sends texts at a steady pace until it is told to end. Returns how long each took to the webhook, in milliseconds. */
  async texts(everyMs: number, isOver: () => boolean): Promise<readonly number[]> {
    const sentAtMs = new Map<unknown, number>();
    for (let number = 0; !isOver(); number += 1) {
      const nextAtMs = performance.now() + everyMs;
      const atMs = Date.now();
      sentAtMs.set(await this.phones.write(ANN, SHOP, `text ${number}`), atMs);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextAtMs - performance.now())));
    }
    // Nobody looks for them meanwhile: a thousand looks a second would be what is measured.
    const told = await until(
      'the texts at the webhook',
      () =>
        this.#receiver.events.filter(({ type, data }) => type === 'message.received' && sentAtMs.has(data['stanzaId'])),
      (events) => events.length === sentAtMs.size,
      PATIENCE_MS,
    );
    return told.map(({ data, atMs }) => atMs - (sentAtMs.get(data['stanzaId']) ?? atMs));
  }
}

const isMessage =
  (stanzaId: string) =>
  ({ type, data }: ReceivedEvent): boolean =>
    type === 'message.received' && data['stanzaId'] === stanzaId;

/** The same bytes in parts of one size, of which the last may be smaller. Memory: one part. */
async function* inParts(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(bytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + bytes - filled);
      part.set(piece, filled);
      filled += piece.length;
      from += piece.length;
      if (filled < bytes) continue;
      yield part;
      part = new Uint8Array(bytes);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
