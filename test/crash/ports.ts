import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { WebSocket } from 'ws';
import type { Clock } from '../../shared/kernel/clock.ts';
import { S3ObjectUploads } from '../../shared/media/s3ObjectUploads.ts';
import type { KeyProvider } from '../../shared/platform/keyProvider.ts';
import { baileysLogger } from '../../worker/socket/repairs/baileysLogger.ts';
import type { PortWatch } from './portWatch.ts';

/** The ports of a worker, each call of which goes through a {@link PortWatch} under a name that is the same in each run. */
type Input = Readonly<Record<string, unknown>>;
interface Command {
  readonly input: Input;
}
interface Sending {
  send: (command: Command, ...rest: unknown[]) => Promise<unknown>;
}

/** Puts the watch before every call of a client. Returns the same client. */
function watchSend<Client>(client: Client, watch: PortWatch, nameOf: (command: Command) => string): Client {
  const sending = client as unknown as Sending;
  const send = sending.send.bind(client);
  sending.send = (command, ...rest) => watch.watch(nameOf(command), () => send(command, ...rest));
  return client;
}

export function watchTable(table: DynamoDBDocumentClient, watch: PortWatch): DynamoDBDocumentClient {
  return watchSend(table, watch, (command) => `store ${verbOf(command)} ${itemsOf(command.input)}`);
}

export function watchQueue(queue: SQSClient, watch: PortWatch): SQSClient {
  return watchSend(queue, watch, (command) => {
    const url = typeof command.input['QueueUrl'] === 'string' ? command.input['QueueUrl'] : '';
    return `queue ${verbOf(command)} ${/-(command|events|media)(?:-|$)/.exec(url)?.[1] ?? 'other'}`;
  });
}

/** Watches the questions for uploads of all objects of this process. */
export function watchUploads(watch: PortWatch): void {
  for (const name of ['listParts', 'complete', 'sizeOf']) {
    wrapMethod(S3ObjectUploads, name, (call) => watch.watch(`objects ${name}`, async () => call()));
  }
}

type Method = (...given: unknown[]) => unknown;

/** Wraps a method of all objects of a class, in this process and for good. */
export function wrapMethod(
  { prototype }: { readonly prototype: object },
  name: string,
  around: (call: () => unknown, given: readonly unknown[]) => unknown,
): void {
  const methods = prototype as Record<string, Method>;
  const method = methods[name];
  if (method === undefined) throw new Error(`there is no method ${name}`);
  methods[name] = function watched(this: unknown, ...given: unknown[]): unknown {
    return around(() => Reflect.apply(method, this, given), given);
  };
}

export function watchKeys(keys: KeyProvider, watch: PortWatch): KeyProvider {
  return {
    generateDataKey: (context) => watch.watch('keys generate', () => keys.generateDataKey(context)),
    unwrapDataKey: (wrapped, context) => watch.watch('keys unwrap', () => keys.unwrapDataKey(wrapped, context)),
  };
}

/** Sleeps that can be ended early are deadlines and polls' pauses; both kinds are counted apart. */
export function watchClock(clock: Clock, watch: PortWatch): Clock {
  return {
    ...clock,
    sleep: (durationMs, signal) =>
      watch.watch(signal === undefined ? 'timer pause' : 'timer deadline', () => clock.sleep(durationMs, signal)),
  };
}

/**
 * Watches what this process writes on WebSockets. What is written is sealed; Baileys tells its logger, just before it seals
 * a stanza, what it says. Changes the process for good: it must have no other use for WebSockets.
 */
export function watchSocketWrites(watch: PortWatch): void {
  let said: string | undefined;
  baileysLogger.level = 'trace';
  baileysLogger.trace = (fields) => {
    const { msg, xml } = fields as { readonly msg?: string; readonly xml?: string };
    if (msg === 'xml send') said = xml;
  };
  const { prototype } = WebSocket as unknown as {
    readonly prototype: { send: (data: unknown, ...rest: unknown[]) => void };
  };
  const send = prototype.send;
  prototype.send = function watched(this: WebSocket, data: unknown, ...rest: unknown[]): void {
    const call = watch.begin(`socket write ${said === undefined ? 'handshake' : stanzaName(said)}`);
    said = undefined;
    const callback = rest.at(-1);
    const others = typeof callback === 'function' ? rest.slice(0, -1) : rest;
    // Written means: the operating system has it, and it goes out even if this process ends now.
    send.call(this, data, ...others, (error?: Error) => {
      watch.end(call);
      if (typeof callback === 'function') (callback as (error?: Error) => void)(error);
    });
  };
}

/** What a stanza is, without what differs from one to the next: `message`, `receipt read`, `iq encrypt set`. */
function stanzaName(xml: string): string {
  const head = /^<([\w:-]+)([^>]*)/.exec(xml);
  const [, tag = 'stanza', attributes = ''] = head ?? [];
  const of = (name: string): string | undefined => new RegExp(`\\b${name}=['"]([\\w:.-]+)['"]`).exec(attributes)?.[1];
  const details = tag === 'message' ? [] : tag === 'ack' ? [of('class')] : [of('xmlns'), of('type')];
  return [tag, ...details].filter((part) => part !== undefined).join(' ');
}

function verbOf(command: Command): string {
  return command.constructor.name.replace(/Command$/, '');
}

/** Kinds of the items that a call names, in order and each once. */
function itemsOf(input: Input): string {
  const { RequestItems, TransactItems, Item, Key, IndexName } = input as {
    readonly RequestItems?: Readonly<Record<string, { readonly Keys?: readonly Input[] }>>;
    readonly TransactItems?: readonly Readonly<Record<string, { readonly Item?: Input; readonly Key?: Input }>>[];
    readonly Item?: Input;
    readonly Key?: Input;
    readonly IndexName?: string;
  };
  const keys: readonly Input[] = [
    ...Object.values(RequestItems ?? {}).flatMap(({ Keys }) => Keys ?? []),
    ...(TransactItems ?? []).flatMap((part) => Object.values(part).flatMap((write) => [write.Item ?? write.Key ?? {}])),
    ...[Item, Key].filter((key) => key !== undefined),
  ];
  if (IndexName !== undefined) return IndexName;
  const values = Object.values((input['ExpressionAttributeValues'] ?? {}) as Input);
  const kinds =
    keys.length > 0
      ? keys.map((key) => kindOf(key))
      : values.filter((value) => typeof value === 'string').map(kindOfText);
  return [...new Set(kinds)].sort().join('+');
}

function kindOf({ pk, sk }: Input): string {
  const kind = kindOfText(String(sk));
  return kind === '' ? kindOfText(String(pk)) : kind;
}

/** The first word of a key: keys of the session store begin with the number of their credentials. */
function kindOfText(key: string): string {
  return /^(?:C\d+(?:R\d+)?#)?([A-Z]+)(?:#|$)/.exec(key)?.[1] ?? '';
}
