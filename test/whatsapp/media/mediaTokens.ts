import { randomBytes } from 'node:crypto';
import type { Faults } from '../faults.ts';
import { node, type BinaryNode } from '../node.ts';
import type { MediaLog } from './mediaLog.ts';

/** How long a client may use an answer, and its token, in seconds. */
const TTL = 300;
const AUTH_TTL = 21_600;
const MAXIMUM_BYTES = 2 * 1024 ** 3;
const MOST_TOKENS = 10_000;

export type TokenCheck = { readonly number: string } | { readonly refused: 401 | 403 };

/** Tokens with which accounts upload. They are forgotten when the process ends, and clients ask for others. */
export class MediaTokens {
  readonly #faults: Faults;
  readonly #log: MediaLog;
  readonly #tokens = new Map<string, { readonly number: string; readonly endsAt: number }>();

  constructor(faults: Faults, log: MediaLog) {
    this.#faults = faults;
    this.#log = log;
  }

  /** The answer to `media_conn`: the hosts, and a token of the account. */
  answer(number: string, hosts: readonly string[]): readonly BinaryNode[] {
    this.#log.countConnection(number);
    const fault = this.#faults.take('media_conn', number);
    const { ttl = TTL, authTtl = AUTH_TTL } = fault ?? {};
    const auth = randomBytes(32).toString('base64url');
    this.#tokens.set(auth, { number, endsAt: performance.now() + authTtl * 1_000 });
    const [oldest] = this.#tokens.size > MOST_TOKENS ? this.#tokens.keys() : [];
    if (oldest !== undefined) this.#tokens.delete(oldest);
    const attrs = { auth, ttl: String(ttl), auth_ttl: String(authTtl), max_buckets: '12' };
    return [node('media_conn', attrs, (fault?.hosts ?? hosts).map(hostNode))];
  }

  /** Says whose token it is; refused when there is none, and when it has ended or was never given. */
  check(auth: string | null): TokenCheck {
    if (auth === null || auth === '') return { refused: 401 };
    const token = this.#tokens.get(auth);
    return token === undefined || performance.now() > token.endsAt ? { refused: 403 } : { number: token.number };
  }

  /** Ends the tokens of an account, or all: clients have to ask for others. Returns how many there were. */
  revoke(number: string | undefined): number {
    const ended = [...this.#tokens].filter(([, token]) => number === undefined || token.number === number);
    for (const [auth] of ended) this.#tokens.delete(auth);
    return ended.length;
  }
}

function hostNode(hostname: string, place: number): BinaryNode {
  const attrs = {
    hostname,
    type: place === 0 ? 'primary' : 'fallback',
    class: 'mms',
    maxContentLengthBytes: String(MAXIMUM_BYTES),
  };
  return node('host', attrs, [node('upload'), node('download')]);
}
