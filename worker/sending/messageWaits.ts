import type { ParkReason } from '../../shared/message/messageWait.ts';
import type { SendingSocket } from '../socket/port/connectionSocket.ts';
import type { ChatHolds } from './chatHolds.ts';
import type { FirstContactHolds, JudgedMessage } from './firstContactHolds.ts';
import type { Governor } from './governor.ts';
import type { LookUpPauses } from './lookUpPauses.ts';

/**
 * Why a message must wait; `go` where it need not. `too_long`: it waits as one to a new person, for so long or behind so many
 * that it fails.
 */
export type Waits = 'go' | 'too_long' | ParkReason;

export interface MessageWaitsParts {
  readonly governor: Pick<Governor, 'isWatching' | 'chatWaitMs'>;
  readonly lookUps: LookUpPauses;
  readonly holds: ChatHolds;
  readonly firstContacts: FirstContactHolds;
}

/** What a message may have to wait for that its address decides. Its chat is held meanwhile, and no other. */
export class MessageWaits {
  readonly #parts: MessageWaitsParts;

  constructor(parts: MessageWaitsParts) {
    this.#parts = parts;
  }

  /** Whether anything rests. Where nothing does, no address need be known. */
  get isAny(): boolean {
    return this.#parts.lookUps.isAny || this.#parts.governor.isWatching;
  }

  /** Why a message waits: for a look-up that rests, for the budget of its chat, or as one to a new person. */
  async judge(socket: SendingSocket, message: JudgedMessage): Promise<Waits> {
    if (!this.isAny) return 'go';
    const { lookUps, governor, holds, firstContacts } = this.#parts;
    const { to, chat } = message;
    const lookUpMs = lookUps.isAny ? lookUps.waitMs(await socket.lookUpsFor(to)) : 0;
    const chatMs = governor.chatWaitMs(chat);
    if (lookUpMs > 0 || chatMs > 0) {
      const reason = lookUpMs >= chatMs ? 'look_up' : 'chat_budget';
      holds.hold(chat, Math.max(lookUpMs, chatMs), reason);
      return reason;
    }
    const judged = await firstContacts.judge(socket, message);
    if (judged === 'go' || judged === 'too_long') return judged;
    holds.hold(chat, judged.waitMs, 'first_contact');
    return 'first_contact';
  }
}
