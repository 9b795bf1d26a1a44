import type { makeWASocket } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { SendOutcome, SendRequest } from './connectionSocket.ts';
import { STALE_DEVICE_LIST, type DeviceLists } from './deviceLists.ts';
import type { Recipients } from './recipients.ts';
import type { OpenSocketOptions } from './socketOptions.ts';

interface Parts {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'sendMessage'>;
  readonly recipients: Recipients;
  readonly acknowledgements: Acknowledgements;
  readonly devices: DeviceLists;
  readonly ownJids: () => readonly (string | undefined)[];
}

/** Sends messages on one socket, and finds out what became of each. */
export class Outgoing {
  readonly #options: Pick<OpenSocketOptions, 'config' | 'clock' | 'logger' | 'metrics'>;
  readonly #parts: Parts;

  constructor(options: Pick<OpenSocketOptions, 'config' | 'clock' | 'logger' | 'metrics'>, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Never rejects: whatever is not known is `unknown`. */
  async send(request: SendRequest): Promise<SendOutcome> {
    const { clock, logger, metrics } = this.#options;
    const { recipients, devices, ownJids, acknowledgements } = this.#parts;
    const { stanzaId, to } = request;
    const begunAtMs = clock.monotonicMs();
    try {
      if (!(await recipients.hasAccount(to))) return { outcome: 'no_account' };
      let error = await this.#transmit(request);
      if (error === STALE_DEVICE_LIST) {
        // Nothing was delivered. With fresh lists it can be.
        await devices.dropFor(to, ownJids());
        error = await this.#transmit(request);
      }
      if (error !== undefined) return { outcome: 'refused', code: error };
      metrics.count('MessagesSent', {});
      return { outcome: 'acknowledged', atMs: clock.nowMs() };
    } catch (error) {
      if (error instanceof TimeoutError) acknowledgements.giveUp(stanzaId, begunAtMs);
      logger.warn('send not acknowledged', { stanzaId, error });
      return { outcome: 'unknown' };
    }
  }

  /** Sends once. Resolves with nothing when WhatsApp has taken it, or with the number of its refusal. */
  async #transmit({ stanzaId, to, content }: SendRequest): Promise<number | undefined> {
    const { socket, acknowledgements } = this.#parts;
    const acknowledged = acknowledgements.expect(stanzaId);
    try {
      await withDeadline('sending a message', deadlines.send.ms, () =>
        // A preview would make this worker fetch an address of the tenant's choosing.
        socket.sendMessage(to, { text: content.text.body, linkPreview: null }, { messageId: stanzaId }),
      );
      const { serverAckTimeoutMs } = this.#options.config;
      return await withDeadline('the ack of WhatsApp', serverAckTimeoutMs, () => acknowledged);
    } finally {
      acknowledgements.forget(stanzaId);
    }
  }
}
