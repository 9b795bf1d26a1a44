import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { faultSchema, strikeSchema } from './faults.ts';
import type { WhatsAppSimulator } from './simulator.ts';
import type { Account } from './world.ts';

/** The HTTP API that plays the owners of the phones, and makes things go wrong. See README.md. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

const number = z.string().regex(/^[1-9]\d{6,14}$/, 'must be 7 to 15 digits without +');
const phoneSchema = z.strictObject({ number, name: z.string().min(1).max(50).default('Sandbox') });
const linkSchema = z.union([
  z.strictObject({ qr: z.string().min(1) }),
  z.strictObject({ code: z.string().regex(/^[0-9A-Za-z-]{8,9}$/), offerFor: number }),
]);
const messageSchema = z.strictObject({ to: number, text: z.string().min(1).max(65_536) });
const readSchema = z.strictObject({ id: z.string().min(1) });

type Handler = (simulator: WhatsAppSimulator, parameters: readonly string[], body: unknown) => unknown;

const routes: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  [
    'POST',
    /^\/phones$/,
    async (simulator, _parameters, body) => {
      const { number: digits, name } = phoneSchema.parse(body);
      const { account } = await simulator.addPhone(digits, name);
      return describe(account);
    },
  ],
  ['GET', /^\/phones$/, (simulator) => [...simulator.world.accounts.values()].map(describe)],
  [
    'POST',
    /^\/phones\/(\d+)\/link$/,
    async (simulator, [digits], body) => {
      const account = find(simulator, digits);
      const link = linkSchema.parse(body);
      if ('offerFor' in link && link.offerFor !== account.number) {
        throw new Refused(409, 'A code is typed into the phone whose number it was asked for.');
      }
      const result =
        'qr' in link
          ? await simulator.pairing.scan(account, link.qr)
          : await simulator.pairing.typeCode(account, link.code.replaceAll('-', '').toUpperCase());
      if ('refused' in result) throw new Refused(409, result.refused);
      return result;
    },
  ],
  [
    'POST',
    /^\/phones\/(\d+)\/messages$/,
    async (simulator, [digits], body) => {
      const { to, text } = messageSchema.parse(body);
      const id = await simulator.relay.write(find(simulator, digits), find(simulator, to), text);
      return { id };
    },
  ],
  ['GET', /^\/phones\/(\d+)\/messages$/, (simulator, [digits]) => find(simulator, digits).phone.transcript],
  ['GET', /^\/phones\/(\d+)\/failures$/, (simulator, [digits]) => find(simulator, digits).phone.failures],
  [
    'POST',
    /^\/phones\/(\d+)\/read$/,
    (simulator, [digits], body) => {
      const { id } = readSchema.parse(body);
      if (!simulator.relay.read(find(simulator, digits), id))
        throw new Refused(404, 'This phone shows no such message.');
      return {};
    },
  ],
  [
    'DELETE',
    /^\/phones\/(\d+)\/devices\/(\d+)$/,
    (simulator, [digits, id]) => {
      const account = find(simulator, digits);
      const device = account.devices.get(Number(id));
      if (device === undefined) throw new Refused(404, 'This phone has no such linked device.');
      simulator.removeDevice(account, device);
      return {};
    },
  ],
  [
    'POST',
    /^\/faults$/,
    (simulator, _parameters, body) => {
      const strike = strikeSchema.safeParse(body);
      if (strike.success) return { sockets: simulator.strike(strike.data) };
      simulator.faults.add(faultSchema.parse(body));
      return { faults: simulator.faults.list() };
    },
  ],
  ['GET', /^\/faults$/, (simulator) => ({ faults: simulator.faults.list() })],
  [
    'DELETE',
    /^\/faults$/,
    (simulator) => {
      simulator.faults.clear();
      return {};
    },
  ],
  ['GET', /^\/stats$/, (simulator) => simulator.stats()],
];

/** Answers one request; bad input is answered with a sentence that says what to do. */
export function makeControlApi(simulator: WhatsAppSimulator) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answer(simulator, request)
      .then((result) => send(response, 200, result))
      .catch((error: unknown) => {
        if (error instanceof Refused) send(response, error.status, { error: error.message });
        else if (error instanceof z.ZodError || error instanceof SyntaxError) {
          send(response, 400, {
            error: error instanceof z.ZodError ? z.prettifyError(error) : 'The body is not JSON.',
          });
        } else send(response, 500, { error: String(error) });
      });
  };
}

async function answer(simulator: WhatsAppSimulator, request: IncomingMessage): Promise<unknown> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const found = routes.find(([method, pattern]) => method === request.method && pattern.test(path));
  if (found === undefined)
    throw new Refused(404, `There is no ${request.method} ${path}. See test/whatsapp/README.md.`);
  const [method, pattern, handler] = found;
  const parameters = pattern.exec(path)?.slice(1) ?? [];
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return handler(simulator, parameters, method === 'POST' ? JSON.parse(text || '{}') : undefined);
}

function find(simulator: WhatsAppSimulator, digits: string | undefined): Account {
  const account = simulator.world.accounts.get(digits ?? '');
  if (account === undefined) throw new Refused(404, `There is no phone ${digits}. Make it with POST /phones.`);
  return account;
}

function describe(account: Account) {
  return {
    number: account.number,
    lid: `${account.lid}@lid`,
    name: account.name,
    devices: [...account.devices.values()].map(({ id, logins, pending }) => ({ id, logins, waiting: pending.length })),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
