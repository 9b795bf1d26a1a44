import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { systemClock } from '../kernel/clock.ts';
import type { BoundedHttpHandler } from './boundedHttpHandler.ts';
import { currentTrace } from './config.ts';
import { guardOf, type CallBounds, type ClientGuards } from './callGuards.ts';
import { RequestSignature } from './requestSignature.ts';
import type { StoreProtocol } from './storeCommands.ts';
import { isAboutTime, toStoreError, type StoreAnswer } from './storeErrors.ts';
import { askStore, type StoreAddress } from './storeRequest.ts';
import { makeRetries } from './storeRetries.ts';

/**
 * The calls that messages are made of, carried by us instead of by the SDK's stack of some twenty steps: that stack is
 * built anew for each call, walks the schema of each value and takes half a millisecond of CPU time, several times what
 * the call itself takes. Commands, results and errors are the SDK's, and so are credentials, the region's address and
 * the rules of retrying, which are asked of its client; whatever is not in the tables of `storeCommands.ts` takes the
 * SDK's way. The guards are the same for both ways (`callGuards.ts`).
 *
 * A try whose answer is lost may have taken effect, as with the SDK: writes are conditional, and a transaction has one
 * token for all its tries. A try that the deadline ends is ended on its connection, too, so nothing is left behind.
 */
export interface StoreCallOptions {
  readonly protocol: StoreProtocol;
  readonly region: string;
  /** The URL of the service; AWS's own when undefined. */
  readonly endpoint: string | undefined;
  readonly handler: BoundedHttpHandler;
  readonly bounds: CallBounds;
  readonly guards: ClientGuards;
}

type StoreClient = DynamoDBDocumentClient | SQSClient;
interface Command {
  readonly input: unknown;
}

/** Lets a client's calls go our way where they can. Returns the same client. */
export function carryCalls<Client extends StoreClient>(client: Client, options: StoreCallOptions): Client {
  const { commands } = options.protocol;
  const calls = new StoreCalls(client, options);
  const sdksWay = client.send.bind(client) as (...all: unknown[]) => unknown;
  const send = (command: Command, settings?: unknown, ...more: unknown[]): unknown => {
    const operation = commands.get(command.constructor);
    if (operation === undefined || typeof settings === 'function') return sdksWay(command, settings, ...more);
    const { abortSignal } = (settings ?? {}) as { readonly abortSignal?: AbortSignal };
    return calls.carry(command, operation, abortSignal);
  };
  return Object.assign(client, { send });
}

class StoreCalls {
  readonly #config: DynamoDBClient['config'];
  readonly #options: StoreCallOptions;
  readonly #guard: ReturnType<typeof guardOf>;
  readonly #retry: ReturnType<typeof makeRetries>;
  readonly #signature = new RequestSignature();
  #address: StoreAddress | undefined;
  /** How far AWS's clock is ahead of this machine's, as far as a refusal has shown it. */
  #aheadMs = 0;

  constructor(client: StoreClient, options: StoreCallOptions) {
    const { protocol, bounds, guards } = options;
    // The two clients are configured alike; their types do not say so together.
    this.#config = client.config as DynamoDBClient['config'];
    this.#options = options;
    this.#guard = guardOf(protocol.service, bounds.callMs, guards);
    this.#retry = makeRetries(this.#config, bounds.attempts);
  }

  /** Makes a call, with its tries. Rejects as `guardCalls` says, and with the errors of the SDK. */
  carry(command: Command, operation: string, caller: AbortSignal | undefined): Promise<unknown> {
    const { protocol } = this.#options;
    return this.#guard(`${protocol.name} ${operation}`, async (deadline) => {
      const signals = caller === undefined ? [deadline] : [deadline, caller];
      const input = protocol.toWire(command.input) as Record<string, unknown>;
      const body = JSON.stringify(operation === 'TransactWriteItems' ? withToken(input) : input);
      const target = `${protocol.target}${operation}`;
      const output = await this.#retry(() => this.#try(target, body, signals), signals);
      return Object.assign(protocol.fromWire(output) as object, { $metadata: { httpStatusCode: 200 } });
    });
  }

  async #try(target: string, body: string, signals: readonly AbortSignal[]): Promise<unknown> {
    const { protocol, region, bounds, guards } = this.#options;
    const address = (this.#address ??= await this.#findAddress());
    const signer = await this.#config.credentials();
    // The guard of a try is the last step before the request: a permission that was asked for once before the call is
    // old when the call is tried again, for example after the process was frozen.
    guards.beforeTry?.();
    const atMs = systemClock.nowMs() + this.#aheadMs;
    const request = { host: address.host, region, service: protocol.service, target, body, atMs };
    const trace = currentTrace();
    const signed = this.#signature.headersOf(request, signer);
    const headers = trace === undefined ? signed : { ...signed, 'x-amzn-trace-id': trace };
    const answer = await askStore({ address, headers, body, headMs: bounds.tryMs, signals });
    if (answer.status >= 200 && answer.status < 300) return answer.text === '' ? {} : JSON.parse(answer.text);
    const error = toStoreError(answer, protocol.service);
    if (isAboutTime(error)) this.#setClock(answer);
    throw error;
  }

  async #findAddress(): Promise<StoreAddress> {
    const { endpoint, region, handler } = this.#options;
    const url = endpoint === undefined ? await this.#askForUrl(region) : new URL(endpoint);
    const isSecure = url.protocol === 'https:';
    const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
    return { isSecure, hostname: url.hostname, port, host: url.host, ...handler.agents };
  }

  async #askForUrl(region: string): Promise<URL> {
    const { endpointProvider, useDualstackEndpoint, useFipsEndpoint } = this.#config;
    const [UseDualStack, UseFIPS] = await Promise.all([useDualstackEndpoint(), useFipsEndpoint()]);
    return endpointProvider({ Region: region, UseDualStack, UseFIPS }).url;
  }

  #setClock({ headers }: StoreAnswer): void {
    const theirsMs = Date.parse([headers['date']].flat()[0] ?? '');
    if (!Number.isNaN(theirsMs)) this.#aheadMs = theirsMs - systemClock.nowMs();
  }
}

/** One token for all tries of a transaction: the second of two that both arrive has no effect. */
function withToken(input: Record<string, unknown>): Record<string, unknown> {
  return { ClientRequestToken: randomUUID(), ...input };
}
