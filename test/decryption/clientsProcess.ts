/**
 * A process of clients: `node test/decryption/clientsProcess.ts '<options as JSON>'`, told what to do over its channel. The
 * product repairs libsignal in its whole process, so the two kinds can never be measured in one.
 */
import type { ClientKind, ClientsOptions } from './clients.ts';
import { makeOurClients } from './ourClients.ts';
import { makePlainClients } from './plainClients.ts';

export interface ProcessOptions extends Omit<ClientsOptions, 'onReceived'> {
  readonly kind: ClientKind;
}

/** What the parent asks. */
export interface Order {
  readonly id: number;
  readonly call: 'pair' | 'send' | 'stop' | 'start';
  readonly args: readonly string[];
}

// libsignal prints sessions with their private keys.
for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined;
// A process without its parent has nobody to talk to.
process.on('disconnect', () => process.exit(1));

const options = JSON.parse(process.argv[2] ?? '') as ProcessOptions;
const tell = (message: object): void => void process.send?.(message);
const make = { plain: makePlainClients, ours: makeOurClients }[options.kind];
const clients = make({ ...options, onReceived: (received) => tell({ received }) });

const perform: Readonly<Record<Order['call'], (args: readonly string[]) => Promise<void>>> = {
  pair: ([number = '']) => clients.pair(number),
  send: ([number = '', to = '', text = '']) => clients.send(number, to, text),
  stop: () => clients.stop(),
  start: () => clients.start(),
};

process.on('message', ({ id, call, args }: Order) => {
  perform[call](args).then(
    () => tell({ done: id }),
    (error: unknown) => tell({ done: id, error: error instanceof Error ? error.message : String(error) }),
  );
});
tell({ ready: true });
