import { findEventTexts } from '../../shared/event/eventPages.ts';
import type { EventId } from '../../shared/kernel/id.ts';
import { failureOf, type Attempt } from '../../shared/webhook/attempt.ts';
import { afterFailure, behind, chainDelivery, type Chain, type ChainName } from '../../shared/webhook/chain.ts';
import { isStrict } from '../../shared/webhook/chainEvents.ts';
import { advanceChain, dropChain, haveChainWait, nextInChain, releaseChain } from '../../shared/webhook/chainStore.ts';
import { sendDeliveries, toDeliveries, type Delivery } from '../../shared/webhook/delivery.ts';
import { isOpen, type Endpoint } from '../../shared/webhook/endpoint.ts';
import { batchBody } from '../../shared/webhook/eventBatch.ts';
import { isSlow } from '../../shared/webhook/slowEndpoint.ts';
import { forgetWaiting } from '../../shared/webhook/waitingDeliveries.ts';
import { attemptNow, type AttemptDependencies, type Attempted } from './attemptDelivery.ts';
import { endChainAtDisabled } from './endChainAtDisabled.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';
import { CHAIN_EVENTS, toDeliverable } from './dissolveChain.ts';
import { giveUp } from './giveUp.ts';
import { waitSeconds, type Postponed } from './postpone.ts';

/**
 * How long new posts are begun for one chain in a run, in milliseconds: the last one may take ten seconds more, and the function ends after
 * twenty. Others of the batch leave the queue before (`runGroups`).
 */
export const CHAIN_RUN_MS = 4_000;

/** A chain that this function holds. */
export interface HeldChain {
  readonly name: ChainName;
  readonly chain: Chain;
}

/** What is at the head of a chain: one event, or a batch of them. */
interface Head {
  readonly delivery: Delivery;
  readonly text: string;
  readonly events: number;
  readonly last: EventId;
}

/** What follows in a chain: a head, only events that are not wanted or not kept, or nothing. */
type Next = { readonly head: Head } | { readonly passed: EventId } | 'nothing';

/** Posts the events of a chain one after the other, until nothing is left, one is not taken, or the time is over. */
export async function workChain(
  dependencies: AttemptDependencies,
  one: DeliveryInHand,
  held: HeldChain,
): Promise<Attempted> {
  const { clock, known } = dependencies;
  const { name } = held;
  const run = new ChainRun(dependencies, one, name);
  const endMs = clock.monotonicMs() + CHAIN_RUN_MS;
  let chain: Chain | undefined = held.chain;
  while (chain !== undefined) {
    const endpoint = await known.find(one.delivery.tenantId, name.endpointId);
    if (endpoint === undefined) return run.ended();
    if (!isOpen(endpoint)) {
      await dropChain(dependencies, name, chain);
      return endChainAtDisabled(dependencies, one, name, endpoint, run.attempts);
    }
    const isOver = clock.monotonicMs() >= endMs || (!one.isOfSlow && isSlow(endpoint, clock.nowMs()));
    if (isOver || !isStrict(endpoint)) return run.goOnLater(endpoint, chain);
    const next = await readNext(dependencies, name, endpoint, chain);
    if (next === 'nothing') {
      const now = await releaseChain(dependencies, name, chain);
      chain = now === 'released' ? undefined : now;
    } else if ('passed' in next) {
      chain = await run.advance(chain, next.passed);
    } else {
      const after = await run.post(endpoint, chain, next.head);
      if (after !== undefined && 'end' in after) return after;
      chain = after;
    }
  }
  return run.ended();
}

/** Reads what follows in a chain. A batch that failed has the same events again. */
async function readNext(
  dependencies: AttemptDependencies,
  name: ChainName,
  endpoint: Endpoint,
  chain: Chain,
): Promise<Next> {
  const ids = await nextInChain(dependencies, name, chain, endpoint.batch === undefined ? CHAIN_READ : CHAIN_EVENTS);
  const lastRead = ids.at(-1);
  if (lastRead === undefined) return 'nothing';
  const texts = await findEventTexts(dependencies, endpoint.tenantId, ids);
  const events = texts.map(toDeliverable);
  const batch =
    endpoint.batch === undefined ? {} : { batch: { maxEvents: chain.headEvents ?? endpoint.batch.maxEvents } };
  const [delivery] = toDeliveries([{ ...endpoint, ...batch }], events);
  if (delivery === undefined) return { passed: lastRead };
  const { eventIds = [delivery.eventId] } = delivery;
  const wanted = new Set<EventId>(eventIds);
  const found = events.flatMap(({ eventId, text = '' }) => (wanted.has(eventId) ? [text] : []));
  const text = delivery.eventIds === undefined ? (found[0] ?? '') : batchBody(found);
  return { head: { delivery, text, events: eventIds.length, last: eventIds.at(-1) ?? delivery.eventId } };
}

/** The events that are read at once where each goes alone: most chains have one that waits. */
const CHAIN_READ = 8;

/** One run of a function along a chain. */
class ChainRun {
  readonly attempts: Attempt[] = [];
  readonly #dependencies: AttemptDependencies;
  readonly #one: DeliveryInHand;
  readonly #name: ChainName;
  #isLate: boolean;

  constructor(dependencies: AttemptDependencies, one: DeliveryInHand, name: ChainName) {
    this.#dependencies = dependencies;
    this.#one = one;
    this.#name = name;
    this.#isLate = one.isAgain || one.delivery.round !== undefined;
  }

  ended(): Attempted {
    return { end: 'done', before: this.attempts };
  }

  /** Lets the chain go and has another delivery stand for what is left. */
  async goOnLater(endpoint: Endpoint, chain: Chain): Promise<Attempted> {
    await dropChain(this.#dependencies, this.#name, chain);
    await sendDeliveries(this.#dependencies, [chainDelivery(endpoint, this.#name.connectionId, this.#one.delivery)]);
    return this.ended();
  }

  async advance(chain: Chain, last: EventId): Promise<Chain | undefined> {
    const nowMs = this.#dependencies.clock.nowMs();
    return advanceChain(this.#dependencies, this.#name, chain, { place: behind(last), nowMs });
  }

  /** Posts the head of a chain. Returns the chain behind it, undefined where another function has it, or how the run ends. */
  async post(endpoint: Endpoint, chain: Chain, head: Head): Promise<Chain | undefined | Attempted> {
    const one = this.#handOf(chain, head);
    const isLate = this.#isLate || chain.attempts > 0;
    const isMeasured = !isLate && this.#one.number === 1;
    const attempted = await attemptNow(this.#dependencies, one, { endpoint, text: head.text, isLate, isMeasured });
    // The endpoint is known to be slow by now, and the chain goes on in the queue of slow ones.
    if (attempted === 'left') return this.goOnLater(endpoint, chain);
    const { end, attempt } = attempted;
    if (end !== 'done') return this.#afterNo(endpoint, chain, head, { one, end, attempt });
    if (attempt !== undefined) this.attempts.push(attempt);
    if (attempt?.result === 'gone') {
      await dropChain(this.#dependencies, this.#name, chain);
      const now = await this.#dependencies.known.find(endpoint.tenantId, endpoint.endpointId);
      return now === undefined
        ? this.ended()
        : endChainAtDisabled(this.#dependencies, this.#one, this.#name, now, this.attempts);
    }
    if (isLate) await this.#forgetWait();
    this.#isLate = false;
    return this.advance(chain, head.last);
  }

  #handOf(chain: Chain, { delivery }: Head): DeliveryInHand {
    const { eventId, correlationId, deliveryId } = delivery;
    return {
      ...this.#one,
      delivery,
      number: chain.attempts + 1,
      fields: { ...this.#one.fields, eventId, correlationId, deliveryId },
    };
  }

  /** What follows where a head was not taken, or could not be posted. */
  async #afterNo(
    endpoint: Endpoint,
    chain: Chain,
    head: Head,
    {
      one,
      end,
      attempt,
    }: { readonly one: DeliveryInHand; readonly end: Postponed; readonly attempt: Attempt | undefined },
  ): Promise<Chain | undefined | Attempted> {
    const failure = failureOf(attempt);
    const firstFailure = chain.firstFailure ?? failure;
    // An attempt that was none leaves the count; the waits of turns become longer with the turns.
    if (failure === undefined)
      return this.#wait(chain, head, {
        number: this.#one.number,
        end,
        attempts: chain.attempts,
        firstFailure,
        attempt,
      });
    const after = afterFailure(endpoint, { attempts: chain.attempts + 1, firstFailure });
    if (after.next === 'wait') {
      // One that a receiver does not take which takes others keeps its schedule, as if it had been asked for.
      const how = { ...end, asked: end.asked === true || !after.isDown };
      return this.#wait(chain, head, {
        number: after.attempts,
        end: how,
        attempts: after.attempts,
        firstFailure,
        attempt,
      });
    }
    if (attempt !== undefined) this.attempts.push(attempt);
    const nowMs = this.#dependencies.clock.nowMs();
    // A redrive goes back to this event, and on from there.
    const { event: _inLog, ...named } = head.delivery;
    const letter = { ...named, chain: this.#name.connectionId, backTo: head.delivery.eventId, firstFailure };
    await giveUp(
      this.#dependencies,
      { ...one, delivery: letter },
      { attempts: one.number, notBeforeMs: 0, nowMs, failure },
    );
    return this.advance(chain, head.last);
  }

  /** Has the chain wait, and the delivery that stands for it with it. */
  async #wait(
    chain: Chain,
    { events }: Head,
    how: {
      readonly number: number;
      readonly end: Postponed;
      readonly attempts: number;
      readonly firstFailure: Chain['firstFailure'];
      readonly attempt: Attempt | undefined;
    },
  ): Promise<Attempted> {
    const { clock, random } = this.#dependencies;
    const waitMs = waitSeconds(how.number, how.end, random.unit()) * 1_000;
    const waits = await haveChainWait(this.#dependencies, this.#name, chain, {
      attempts: how.attempts,
      waitsUntilMs: clock.nowMs() + waitMs,
      headEvents: how.attempts === 0 ? undefined : events,
      firstFailure: how.firstFailure,
    });
    // Where the chain was set back meanwhile, its delivery comes again soon.
    const atLeastMs = waits ? waitMs : 1_000;
    if (!waits) await dropChain(this.#dependencies, this.#name, chain);
    const end = { atLeastMs, atMostMs: atLeastMs, asked: waits && how.end.asked === true, isKept: true };
    return { end, attempt: how.attempt, before: this.attempts };
  }

  /** Removes the row that says that the chain waits. Where that fails it is sent anew once more, and finds nothing left. */
  async #forgetWait(): Promise<void> {
    const { endpointId, connectionId } = this.#name;
    const { tenantId, eventId, correlationId } = this.#one.delivery;
    const delivery = chainDelivery({ tenantId, endpointId }, connectionId, { eventId, correlationId });
    await forgetWaiting(this.#dependencies, delivery).catch((error: unknown) => {
      this.#dependencies.logger.warn('what stands for a chain is sent once more', { ...this.#one.fields, error });
    });
  }
}
