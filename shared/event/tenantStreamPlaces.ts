import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { fromStoredMap, type StoredValue } from '../platform/itemValues.ts';
import { streamPlacesKey } from '../platform/keys.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { tableName } from '../platform/tables.ts';
import type { EventLogDependencies } from './eventLog.ts';
import { attributesOf, judgeRefusal, toStreamPlaceRow, type ProcessStreams } from './streamPlaceRow.ts';

export interface PlaceOptions {
  /** This process. */
  readonly process: string;
  /** How long the streams of a process count after it has last said so, in milliseconds. */
  readonly forMs: number;
}

/** How often a write is made again after the row has told why it was refused. */
const TRIES = 6;
/** The row is deleted an hour after the time of who wrote it last. */
const KEPT_SECONDS = 3_600;

/**
 * How many streams of one tenant this process has, in memory and in the row of the tenant. One write at a time is under way. It asks for as
 * many places as there are streams that wait for one, and what others gave back meanwhile is not given back before it is used.
 *
 * - The process dies: its streams count until its time is over, and are taken out by who needs a place then.
 * - A write fails or its answer is lost: the next one finds another number than it thinks it has, and goes on from that.
 * - The process stands still for longer than its time: its number is gone or not; what it cannot have again it has lost.
 */
export class TenantStreamPlaces {
  readonly #dependencies: EventLogDependencies & Pick<Surroundings, 'clock'>;
  readonly #tenantId: TenantId;
  readonly #options: PlaceOptions;
  /** The most streams of the tenant, over all processes. */
  #most = 0;
  /** How many places the row has for this process, as far as it knows. */
  #stored = 0;
  /** How many of them streams hold. */
  #used = 0;
  /** How many streams wait for one. */
  #asking = 0;
  #writtenAtMs = -Infinity;
  /** Acts that are under way or wait for their turn, and the end of the last one. */
  #acts = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    dependencies: EventLogDependencies & Pick<Surroundings, 'clock'>,
    tenantId: TenantId,
    options: PlaceOptions,
  ) {
    this.#dependencies = dependencies;
    this.#tenantId = tenantId;
    this.#options = options;
  }

  /** Whether there is nothing of the tenant here, and nothing under way. */
  get isIdle(): boolean {
    return this.#used === 0 && this.#acts === 0;
  }

  /** Takes a place. Returns whether there was one. Rejects when that is not known. @param most how many the tenant may have */
  async take(most: number): Promise<boolean> {
    this.#most = most;
    this.#asking += 1;
    return this.#inTurn(async () => {
      try {
        if (!this.#isFresh() || this.#stored <= this.#used) await this.#have(this.#used + this.#asking);
      } finally {
        this.#asking -= 1;
      }
      if (this.#stored <= this.#used) return false;
      this.#used += 1;
      return true;
    });
  }

  /** Says once more that the streams are here, where that was not said lately. `lost` for one that others have a place of. */
  async keep(): Promise<'held' | 'lost'> {
    return this.#inTurn(async () => {
      if (!this.#isFresh()) await this.#have(this.#used);
      if (this.#stored >= this.#used) return 'held';
      this.#used -= 1;
      return 'lost';
    });
  }

  /** Gives a place back, unless a stream waits for it here. Rejects when the row does not take it. */
  async release(): Promise<void> {
    this.#used -= 1;
    await this.#inTurn(async () => {
      const needed = this.#used + this.#asking;
      if (this.#stored > needed) await this.#have(needed);
    });
  }

  /** Whether what the row has is not to be said again yet. */
  #isFresh(): boolean {
    return this.#dependencies.clock.monotonicMs() - this.#writtenAtMs < this.#options.forMs / 3;
  }

  async #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#acts += 1;
    const mine = this.#turn.then(act);
    this.#turn = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#acts -= 1;
    }
  }

  /** Has the row say so many, or as many as there is room for. */
  async #have(wanted: number): Promise<void> {
    // A row that is not there yet has no sum by which it could refuse.
    let next = Math.min(wanted, Math.max(this.#most, this.#stored));
    for (let tries = 0; tries < TRIES; tries += 1) {
      const nowMs = this.#dependencies.clock.nowMs();
      const refused = await this.#write(next, nowMs);
      if (refused === undefined) return;
      const { process } = this.#options;
      const refusal = judgeRefusal(toStreamPlaceRow(refused), {
        process,
        stored: this.#stored,
        most: this.#most,
        nowMs,
      });
      if (refusal.because === 'other_number') {
        this.#stored = refusal.count;
      } else if (refusal.because === 'dead') {
        for (const dead of refusal.dead) await this.#takeOut(dead);
      } else {
        if (refusal.room === 0) return;
        next = Math.min(wanted, this.#stored + refusal.room);
      }
    }
    throw new Error('others take and leave the places of this tenant all the time');
  }

  /**
   * Writes how many streams there are. Condition: the row has the number that this process thinks it has, and room for more. Returns the row
   * where it is not met.
   */
  async #write(next: number, nowMs: number): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { process, forMs } = this.#options;
    const { count, until } = attributesOf(process);
    const stored = this.#stored;
    const delta = next - stored;
    const beganMs = this.#dependencies.clock.monotonicMs();
    const isOurs = stored === 0 ? 'attribute_not_exists(#count)' : '#count = :stored';
    const isRoom = delta > 0 ? ' AND (attribute_not_exists(#total) OR #total <= :room)' : '';
    const says =
      next > 0 ? 'SET #ttl = :ttl, #count = :next, #until = :until' : 'SET #ttl = :ttl REMOVE #count, #until';
    const refused = await this.#update({
      UpdateExpression: `${says} ADD #total :delta`,
      ConditionExpression: `${isOurs}${isRoom}`,
      ExpressionAttributeNames: { '#count': count, '#until': until, '#total': 'total', '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':delta': delta,
        ':ttl': Math.ceil((nowMs + forMs) / 1_000) + KEPT_SECONDS,
        ...(next > 0 ? { ':next': next, ':until': nowMs + forMs } : {}),
        ...(stored === 0 ? {} : { ':stored': stored }),
        ...(delta > 0 ? { ':room': this.#most - delta } : {}),
      },
    });
    if (refused !== undefined) return refused;
    this.#stored = next;
    this.#writtenAtMs = beganMs;
    return undefined;
  }

  /** Takes the streams of a process out whose time is over. Condition: it has not said anything since. */
  async #takeOut({ process, count, untilMs }: ProcessStreams & { readonly process: string }): Promise<void> {
    const names = attributesOf(process);
    await this.#update({
      UpdateExpression: 'REMOVE #count, #until ADD #total :less',
      ConditionExpression: '#count = :count AND #until = :until',
      ExpressionAttributeNames: { '#count': names.count, '#until': names.until, '#total': 'total' },
      ExpressionAttributeValues: { ':less': -count, ':count': count, ':until': untilMs },
    });
  }

  /** Returns the row as it stands where the condition is not met. */
  async #update(
    input: Omit<UpdateCommandInput, 'TableName' | 'Key'>,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { table, stage } = this.#dependencies;
    try {
      await table.send(
        new UpdateCommand({
          TableName: tableName(stage, 'core'),
          Key: streamPlacesKey(this.#tenantId),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...input,
        }),
      );
      return undefined;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return fromStoredMap((error.Item ?? {}) as unknown as Record<string, StoredValue>);
    }
  }
}
