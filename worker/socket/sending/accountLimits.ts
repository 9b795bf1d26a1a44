import type { ConnectionState, makeWASocket } from '@whiskeysockets/baileys';
import type { AccountLimit } from '../../../shared/connection/brakes.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';

type Options = Pick<OpenSocketOptions, 'clock' | 'logger' | 'scope' | 'config' | 'onLimit'>;
type Baileys = Pick<ReturnType<typeof makeWASocket>, 'ev' | 'fetchAccountReachoutTimelock'>;

/** The time between two questions, in milliseconds: WhatsApp counts what a restricted account does. */
const ASK_AGAIN_MS = 60_000;
/** Numbers above this are milliseconds since 1970; below it, seconds. */
const LEAST_MS = 100_000_000_000;

/**
 * What WhatsApp says of the limits of the account: a lock against new chats, and the number of new chats in its cycle. It
 * tells both by notices, which its server alone writes, and the lock also when it is asked. Forms and units are those that
 * Baileys reads; nobody has verified them. A value that cannot be read is left out, so that the brake has a rest of our own.
 */
export class AccountLimits {
  readonly #options: Options;
  readonly #socket: Baileys;
  #askedAtMs: number | undefined;
  /** Baileys announces the answer to a question like a notice. */
  #isAsking = false;

  constructor(options: Options, socket: Baileys) {
    this.#options = options;
    this.#socket = socket;
    const { scope } = options;
    scope.listen(socket.ev, 'connection.update', ({ reachoutTimeLock: lock }: Partial<ConnectionState>) => {
      if (lock !== undefined && !this.#isAsking) this.#tell(toTimeLock(lock, false));
    });
    scope.listen(socket.ev, 'message-capping.update', (cap: unknown) => this.#tell(toChatCap(cap)));
  }

  /** Asks whether the account is locked, after a refusal that may mean so. Never rejects, and nobody need wait. */
  async ask(): Promise<void> {
    const { clock, logger, config } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#isAsking || (this.#askedAtMs !== undefined && nowMs - this.#askedAtMs < ASK_AGAIN_MS)) return;
    this.#askedAtMs = nowMs;
    this.#isAsking = true;
    try {
      const lock = await withDeadline('asking for a lock of the account', config.onlineQueryTimeoutMs, () =>
        this.#socket.fetchAccountReachoutTimelock(),
      );
      this.#tell(toTimeLock(lock, true));
    } catch (error) {
      logger.warn('it is not known whether the account is locked', { error });
    } finally {
      this.#isAsking = false;
    }
  }

  #tell(told: AccountLimit): void {
    this.#options.logger.info('whatsapp told of a limit', {
      operation: told.limit,
      outcome: told.isActive ? 'on' : 'off',
    });
    this.#options.onLimit?.(told);
  }
}

function toTimeLock(
  lock: { readonly isActive?: unknown; readonly timeEnforcementEnds?: unknown },
  asked: boolean,
): AccountLimit {
  const ends = lock.timeEnforcementEnds;
  const untilMs = ends instanceof Date && Number.isFinite(ends.getTime()) ? ends.getTime() : undefined;
  return { limit: 'time_lock', isActive: lock.isActive === true, asked, ...(untilMs === undefined ? {} : { untilMs }) };
}

function toChatCap(cap: unknown): AccountLimit {
  const fields = typeof cap === 'object' && cap !== null ? (cap as Readonly<Record<string, unknown>>) : {};
  const [total, used, ends] = [fields['total_quota'], fields['used_quota'], Number(fields['cycle_end_timestamp'])];
  const isUsedUp = typeof total === 'number' && typeof used === 'number' && total > 0 && used >= total;
  const isActive = fields['capping_status'] === 'CAPPED' || isUsedUp;
  if (!Number.isFinite(ends) || ends <= 0) return { limit: 'chat_cap', isActive };
  return { limit: 'chat_cap', isActive, untilMs: ends < LEAST_MS ? ends * 1_000 : ends };
}
