import { LRUCache } from 'lru-cache';
import type { CallFact } from '../../../shared/event/facts/callFact.ts';

/** The number of calls that are remembered: a call says its kind only when it begins, and may last for hours. */
const MOST_CALLS = 100;

export type KnownCall = Pick<CallFact, 'callId' | 'caller' | 'callerAlias' | 'group' | 'video'>;

/** The calls to the account since its socket opened. A caller chooses the id, so that two may have the same. */
export class RingingCalls {
  /** The calls by id and caller; made with the first of them, as most connections get none. */
  #calls: LRUCache<string, KnownCall> | undefined;

  note(call: KnownCall): void {
    this.#calls ??= new LRUCache({ max: MOST_CALLS });
    this.#calls.set(nameOf(call), call);
  }

  find(call: Pick<KnownCall, 'callId' | 'caller'>): KnownCall | undefined {
    return this.#calls?.get(nameOf(call));
  }

  /** All calls with an id, the newest first. */
  withId(callId: string): readonly KnownCall[] {
    return [...(this.#calls?.values() ?? [])].filter((call) => call.callId === callId);
  }
}

function nameOf({ callId, caller }: Pick<KnownCall, 'callId' | 'caller'>): string {
  return JSON.stringify([callId, caller]);
}
