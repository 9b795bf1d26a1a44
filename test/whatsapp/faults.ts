import { z } from 'zod';
import type { ClientSocket } from './clientSocket.ts';
import { limitNotice } from './limits.ts';
import { mediaFaultSchemas } from './media/mediaFaults.ts';
import { node } from './node.ts';

/**
 * What can be made to go wrong. A fault without `number` concerns every account; `times` counts down at each use and the
 * fault is gone at 0; without `times` it stays until `DELETE /faults`.
 */
const scope = {
  number: z.string().regex(/^\d+$/).optional(),
  times: z.number().int().positive().optional(),
} as const;

export const faultSchema = z.discriminatedUnion('kind', [
  /** Refuses the next logins with `<failure reason>`; a temporary ban (402) may say when it ends. */
  z.strictObject({
    ...scope,
    kind: z.literal('refuse_login'),
    reason: z.number().int(),
    expireSeconds: z.number().int().positive().optional(),
  }),
  /** Refuses logins and registrations of clients of this version with `<failure reason="405">`. */
  z.strictObject({
    times: scope.times,
    kind: z.literal('refuse_version'),
    version: z.string().regex(/^\d+\.\d+\.\d+$/),
  }),
  /** Takes the TCP connection and never upgrades it to a WebSocket. */
  z.strictObject({ times: scope.times, kind: z.literal('no_upgrade') }),
  /** Answers over HTTP where a WebSocket is asked for, as a proxy does that lets nobody through. */
  z.strictObject({
    times: scope.times,
    kind: z.literal('refuse_upgrade'),
    status: z.number().int().min(300).max(599),
  }),
  /** Opens the WebSocket and never answers the Noise hello. */
  z.strictObject({ times: scope.times, kind: z.literal('no_hello') }),
  /** Accepts the login and never says `<success>`; answers pings. */
  z.strictObject({ ...scope, kind: z.literal('no_success') }),
  /** Says nothing more at all once the device is logged in. */
  z.strictObject({ ...scope, kind: z.literal('silent') }),
  /** The server does not acknowledge messages, though it delivers them. */
  z.strictObject({ ...scope, kind: z.literal('drop_acks') }),
  /** Receipts of recipients do not reach the sender. */
  z.strictObject({ ...scope, kind: z.literal('drop_receipts') }),
  /** Refuses messages of this account with an error in the ack, and does not deliver them. */
  z.strictObject({ ...scope, kind: z.literal('nack'), code: z.number().int() }),
  /** Refuses messages of this account to people with whom it never talked, and does not deliver them. Existing chats go on. */
  z.strictObject({ ...scope, kind: z.literal('refuse_first_contacts'), code: z.number().int().default(463) }),
  /**
   * The account is locked against new chats: that is what it is told when it asks. It refuses nothing by itself. The form is
   * what Baileys reads; nobody has verified it.
   */
  z.strictObject({ ...scope, kind: z.literal('time_lock'), endsInSeconds: z.number().int().positive().optional() }),
  /** Delivers each message for this account twice. */
  z.strictObject({ ...scope, kind: z.literal('duplicate') }),
  /** Each stanza takes that long, to the client and from it. */
  z.strictObject({ number: scope.number, kind: z.literal('latency'), ms: z.number().int().min(0).max(60_000) }),
  /** Phones take that long to answer requests of their own linked devices. */
  z.strictObject({ number: scope.number, kind: z.literal('slow_phone'), ms: z.number().int().min(0).max(60_000) }),
  /** Answers queries of a namespace with an error, or not at all. */
  z.strictObject({ ...scope, kind: z.literal('iq_error'), xmlns: z.string(), code: z.number().int() }),
  z.strictObject({ ...scope, kind: z.literal('iq_hang'), xmlns: z.string() }),
  /** Refuses a query for a collection of app state, of this name or of any, with an error at the collection. */
  z.strictObject({
    ...scope,
    kind: z.literal('app_state_error'),
    code: z.number().int(),
    collection: z.string().optional(),
  }),
  /** Another device writes a patch just before each one that a client writes, whose version is stale then. */
  z.strictObject({ ...scope, kind: z.literal('app_state_race') }),
  /** The server gives app state out with a part that is wrong; `endless` always has more, `blob` names one that is gone. */
  z.strictObject({
    ...scope,
    kind: z.literal('app_state_spoil'),
    part: z.enum(['patch_mac', 'snapshot_mac', 'bytes', 'blob', 'endless']),
  }),
  /** A look-up of the number `asked` is answered with the address of `account`: one account, written in two ways. */
  z.strictObject({
    kind: z.literal('other_number'),
    asked: z.string().regex(/^\d+$/),
    account: z.string().regex(/^\d+$/),
  }),
  ...mediaFaultSchemas,
]);
export type Fault = z.infer<typeof faultSchema>;

/** What is done at once to the live sockets of an account (or of all). */
export const strikeSchema = z.discriminatedUnion('kind', [
  /** `<stream:error code><child type/></stream:error>`, then close. */
  z.strictObject({
    number: scope.number,
    kind: z.literal('stream_error'),
    code: z.number().int().optional(),
    child: z.string().optional(),
    type: z.string().optional(),
  }),
  /** `<failure reason>`, then close. */
  z.strictObject({
    number: scope.number,
    kind: z.literal('failure'),
    reason: z.number().int().optional(),
    expireSeconds: z.number().int().positive().optional(),
  }),
  z.strictObject({ number: scope.number, kind: z.literal('stream_end') }),
  z.strictObject({ number: scope.number, kind: z.literal('close') }),
  /** These sockets hear everything and say nothing from now on. */
  z.strictObject({ number: scope.number, kind: z.literal('go_silent') }),
  /**
   * Tells these sockets of a limit of the account, as notices of WhatsApp's server do: a lock against new chats, or the number
   * of new chats in its cycle. The forms are what Baileys reads; nobody has verified them.
   */
  z.strictObject({
    number: scope.number,
    kind: z.literal('tell_limit'),
    limit: z.enum(['time_lock', 'chat_cap']),
    isActive: z.boolean(),
    endsInSeconds: z.number().int().positive().optional(),
  }),
  /** A frame that no client can read: a stanza that is none, or one whose seal does not fit. */
  z.strictObject({ number: scope.number, kind: z.literal('unreadable_frame'), broken: z.enum(['stanza', 'seal']) }),
  /** Delivers a message once more that these sockets were sent, although they acknowledged it. */
  z.strictObject({ number: scope.number, kind: z.literal('redeliver'), id: z.string().min(1) }),
]);
export type Strike = z.infer<typeof strikeSchema>;

/** What is done at once to the clients that are registering: they show a QR text or wait for a code to be typed. */
export const registrationStrikeSchema = z.discriminatedUnion('kind', [
  /** `companion_reg_refresh` in one of three forms. From then on the secret in the QR text that is `shown` is void. */
  z.strictObject({
    kind: z.literal('refresh_registration'),
    form: z.enum(['notification', 'iq', 'ib']).default('notification'),
    shown: z.string().optional(),
  }),
  /** A `link_code_companion_reg` notification with nothing in it. */
  z.strictObject({ kind: z.literal('empty_code_notification') }),
  /** What live sockets can be struck with, for the client that shows this QR text. */
  z.strictObject({ kind: z.literal('strike_registration'), shown: z.string(), strike: strikeSchema }),
  /** The same for the client that was asked for the passkey of this account. */
  z.strictObject({ kind: z.literal('strike_passkey'), number: z.string(), strike: strikeSchema }),
]);
export type RegistrationStrike = z.infer<typeof registrationStrikeSchema>;

function concerns(fault: Fault, number: string | undefined): boolean {
  const only = 'number' in fault ? fault.number : undefined;
  return only === undefined || only === number;
}

/** The faults that are in force. */
export class Faults {
  #active: { readonly fault: Fault; left: number | undefined }[] = [];

  add(fault: Fault): void {
    this.#active.push({ fault, left: 'times' in fault ? fault.times : undefined });
  }

  clear(): void {
    this.#active = [];
  }

  list(): readonly Fault[] {
    return this.#active.map(({ fault }) => fault);
  }

  /** The number of the account that a look-up of a number finds. */
  accountOf(asked: string): string {
    const other = this.list().find((fault) => fault.kind === 'other_number' && fault.asked === asked);
    return other?.kind === 'other_number' ? other.account : asked;
  }

  /** The fault of a kind that concerns an account, left as it is; undefined if there is none. */
  find<Kind extends Fault['kind']>(kind: Kind, number: string | undefined): Extract<Fault, { kind: Kind }> | undefined {
    const isWanted = (fault: Fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind;
    return this.list()
      .filter(isWanted)
      .find((fault) => concerns(fault, number));
  }

  /** The fault of a kind that concerns an account, used up once; undefined if there is none. */
  take<Kind extends Fault['kind']>(
    kind: Kind,
    number: string | undefined,
    matches: (fault: Extract<Fault, { kind: Kind }>) => boolean = () => true,
  ): Extract<Fault, { kind: Kind }> | undefined {
    const isWanted = (fault: Fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind;
    for (const entry of this.#active) {
      const { fault } = entry;
      if (!isWanted(fault) || !concerns(fault, number) || !matches(fault)) continue;
      if (entry.left !== undefined) {
        entry.left -= 1;
        if (entry.left === 0) this.#active = this.#active.filter((other) => other !== entry);
      }
      return fault;
    }
    return undefined;
  }
}

/** Does something to live sockets at once. Returns how many it hit. */
export function strikeSockets(strike: Strike, sockets: readonly ClientSocket[]): number {
  return sockets.filter((socket) => strikeSocket(strike, socket)).length;
}

function strikeSocket(strike: Strike, socket: ClientSocket): boolean {
  if (strike.kind === 'redeliver') {
    const sent = socket.sentMessages.get(strike.id);
    if (sent !== undefined) socket.send(sent);
    return sent !== undefined;
  }
  if (strike.kind === 'tell_limit') {
    socket.send(limitNotice(strike));
    return true;
  }
  if (strike.kind === 'unreadable_frame') {
    socket.sendUnreadable(strike.broken);
    return true;
  }
  if (strike.kind === 'go_silent') {
    socket.silent = true;
    return true;
  }
  if (strike.kind === 'stream_error') {
    const { code, child, type } = strike;
    const content = child === undefined ? undefined : [node(child, type === undefined ? {} : { type })];
    socket.send(node('stream:error', code === undefined ? {} : { code: String(code) }, content));
  } else if (strike.kind === 'failure') {
    socket.send(failureNode(strike.reason, strike.expireSeconds));
  } else if (strike.kind === 'stream_end') {
    socket.send(node('xmlstreamend'));
  }
  socket.close();
  return true;
}

/** What ends a login. `expire` counts seconds, as whatsmeow reads it. */
export function failureNode(reason: number | undefined, expireSeconds?: number) {
  return node('failure', {
    ...(reason === undefined ? {} : { reason: String(reason) }),
    ...(expireSeconds === undefined ? {} : { code: '101', expire: String(expireSeconds) }),
  });
}
