import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { isFromElsewhere, pathOf } from '../../infra/local/steadyServer.ts';
import { makeAppStateRoutes } from './appStateRoutes.ts';
import { makeHistoryRoutes } from './historyRoutes.ts';
import { makeCallRoutes } from './callRoutes.ts';
import { faultSchema, registrationStrikeSchema, strikeSchema } from './faults.ts';
import type { Group } from './group.ts';
import { makeFileRoutes, sendingSchema, toFileMessage } from './media/fileRoutes.ts';
import type { Chat } from './phoneTraffic.ts';
import { makeChannelRoutes } from './channelRoutes.ts';
import { makeGroupRoutes } from './groupRoutes.ts';
import { makePasskeyRoutes } from './passkeyRoutes.ts';
import { makeProfileRoutes } from './profileRoutes.ts';
import { makeRawRoutes } from './rawRoutes.ts';
import { Unsendable } from './rawTraffic.ts';
import { readBody } from './readBody.ts';
import { Refused } from './refused.ts';
import type { Simulated } from './simulated.ts';
import type { Account, LinkedDevice } from './world.ts';

const MAXIMUM_BODY_BYTES = 24 * 1024 * 1024;

const number = z.string().regex(/^[1-9]\d{6,14}$/, 'must be 7 to 15 digits without +');
const groupId = z.string().regex(/^\d+@g\.us$/, 'must be the id of a group, digits@g.us');
const phoneSchema = z.strictObject({ number, name: z.string().min(1).max(65_536).default('Sandbox') });
const linkSchema = z.union(
  [
    z.strictObject({ qr: z.string().min(1) }),
    z.strictObject({ code: z.string().regex(/^[0-9A-Za-z-]{8,9}$/), offerFor: number }),
  ],
  'must be {qr}, or {code, offerFor} with a code of 8 characters and the number that it was asked for',
);
const to = z.union([number, groupId], 'must be a number of 7 to 15 digits without +, or the id of a group');
const text = z.string().min(1).max(65_536);
const writing = { ahead: z.boolean().optional(), placeholder: z.boolean().optional() } as const;
const messageSchema = z.union(
  [z.strictObject({ to, text, ...writing }), z.strictObject({ to, ...sendingSchema, ...writing })],
  'must be {to, text} or {to, media: {kind, data or noise, …}, caption?, viewOnce?, hdOf?, expiresIn?}, with or without `ahead` and `placeholder`',
);
const idSchema = z.strictObject({ id: z.string().min(1) });
const releaseSchema = z.strictObject({ count: z.number().int().positive().optional() });

type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];

const phoneRoutes: readonly Route[] = [
  [
    'POST',
    /^\/phones$/,
    async (simulator, _parameters, body) => {
      const { number: digits, name } = phoneSchema.parse(body);
      return describe(await simulator.addPhone(digits, name));
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
      const account = find(simulator, digits);
      const message = messageSchema.parse(body);
      const chat = findChat(simulator, account, message.to);
      if ('text' in message) {
        return { id: await simulator.phones.write(account, chat, { conversation: message.text }, message) };
      }
      const { content, placeholder = message.placeholder } = await toFileMessage(simulator, account, chat, message);
      return { id: await simulator.phones.write(account, chat, content, { ...message, placeholder }) };
    },
  ],
  [
    'POST',
    /^\/phones\/(\d+)\/release$/,
    (simulator, [digits], body) => ({
      ids: simulator.phones.release(find(simulator, digits), releaseSchema.parse(body).count),
    }),
  ],
  [
    'POST',
    /^\/phones\/(\d+)\/repeat$/,
    async (simulator, [digits], body) => {
      const { id } = idSchema.parse(body);
      if (!(await simulator.phones.repeat(find(simulator, digits), id))) {
        throw new Refused(404, 'This phone has sent no such message.');
      }
      return {};
    },
  ],
  ['GET', /^\/phones\/(\d+)\/messages$/, (simulator, [digits]) => find(simulator, digits).phone.transcript],
  ['GET', /^\/phones\/(\d+)\/failures$/, (simulator, [digits]) => find(simulator, digits).phone.failures],
  [
    'POST',
    /^\/phones\/(\d+)\/read$/,
    (simulator, [digits], body) => {
      const { id } = idSchema.parse(body);
      if (!simulator.phones.read(find(simulator, digits), id))
        throw new Refused(404, 'This phone shows no such message.');
      return {};
    },
  ],
  [
    'POST',
    /^\/phones\/(\d+)\/reinstall$/,
    async (simulator, [digits]) => {
      await simulator.reinstall(find(simulator, digits));
      return {};
    },
  ],
  [
    'DELETE',
    /^\/phones\/(\d+)\/devices\/(\d+)$/,
    (simulator, [digits, id]) => {
      const account = find(simulator, digits);
      simulator.removeDevice(account, findDevice(account, id));
      return {};
    },
  ],
];

const otherRoutes: readonly Route[] = [
  [
    'POST',
    /^\/faults$/,
    (simulator, _parameters, body) => {
      const fault = z
        .discriminatedUnion('kind', [
          ...strikeSchema.options,
          ...registrationStrikeSchema.options,
          ...faultSchema.options,
        ])
        .parse(body);
      const strike = strikeSchema.safeParse(fault);
      if (strike.success) return { sockets: simulator.strike(strike.data) };
      const registration = registrationStrikeSchema.safeParse(fault);
      if (registration.success) return { sockets: simulator.pairing.strike(registration.data) };
      simulator.faults.add(faultSchema.parse(fault));
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

const routes = [
  ...phoneRoutes,
  ...makeCallRoutes(find),
  ...makeAppStateRoutes(find, findDevice),
  ...makeHistoryRoutes(find),
  ...makeRawRoutes(find, findChat),
  ...makeFileRoutes(find, findChat),
  ...makeGroupRoutes(find, findGroup),
  ...makeProfileRoutes(find),
  ...makePasskeyRoutes(find),
  ...makeChannelRoutes(find),
  ...otherRoutes,
];

/** The HTTP API that plays the owners of the phones, and makes things go wrong: see README.md. Answers one request; bad input is answered with a sentence that says what to do. */
export function makeControlApi(simulator: Simulated) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answer(simulator, request)
      .then((result) => send(response, 200, result))
      .catch((error: unknown) => {
        if (error instanceof Refused) send(response, error.status, { error: error.message });
        else if (error instanceof Unsendable) send(response, 400, { error: error.message });
        else if (error instanceof z.ZodError || error instanceof SyntaxError || error instanceof URIError) {
          send(response, 400, {
            error:
              error instanceof z.ZodError ? z.prettifyError(error) : 'The body is not JSON, or the path is malformed.',
          });
        } else send(response, 500, { error: String(error) });
      });
  };
}

async function answer(simulator: Simulated, request: IncomingMessage): Promise<unknown> {
  // It asks for no key, so it must not be open to the pages that a browser shows on this machine.
  if (isFromElsewhere(request)) throw new Refused(403, 'This is for programs on this machine: ask 127.0.0.1.');
  const path = decodeURIComponent(pathOf(request));
  const found = routes.find(([method, pattern]) => method === request.method && pattern.test(path));
  if (found === undefined)
    throw new Refused(404, `There is no ${request.method} ${path}. See test/whatsapp/README.md.`);
  const [method, pattern, handler] = found;
  const parameters = pattern.exec(path)?.slice(1) ?? [];
  const bytes = await readBody(request, MAXIMUM_BODY_BYTES);
  if (bytes === undefined) throw new Refused(400, 'The body is larger than 24 MB.');
  return handler(simulator, parameters, method === 'POST' ? JSON.parse(bytes.toString() || '{}') : undefined);
}

function find(simulator: Simulated, digits: string | undefined): Account {
  const account = simulator.world.accounts.get(digits ?? '');
  if (account === undefined) throw new Refused(404, `There is no phone ${digits}. Make it with POST /phones.`);
  return account;
}

function findDevice(account: Account, id: string | undefined): LinkedDevice {
  const device = account.devices.get(Number(id));
  if (device === undefined) throw new Refused(404, 'This phone has no such linked device.');
  return device;
}

function findGroup(simulator: Simulated, id: string | undefined): Group {
  const group = simulator.world.groups.get(id ?? '');
  if (group === undefined) throw new Refused(404, `There is no group ${id}. Make it with POST /groups.`);
  return group;
}

/** The other one, or a group that the phone is in. */
function findChat(simulator: Simulated, account: Account, to: string): Chat {
  if (!to.endsWith('@g.us')) return find(simulator, to);
  const group = findGroup(simulator, to);
  if (!group.members.has(account.number)) throw new Refused(409, 'This phone is not a member of the group.');
  return group;
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
