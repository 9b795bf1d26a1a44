import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { batchEnvelopeSchema, type BatchEnvelope } from '../../shared/event/factBatch.ts';
import { parseBody } from '../runtime/recordBatch.ts';

/** A record of the queue with its batch, or with the fields that are wrong in it. */
export interface RecordInHand {
  readonly record: SQSRecord;
  readonly read: { readonly batch: BatchEnvelope } | { readonly wrongFields: readonly string[] };
}

/** Records of one connection that are recorded together. */
export interface Portion {
  readonly group: RecordGroup;
  readonly records: readonly RecordInHand[];
}

/** The most facts of one connection that are recorded together, unless one record has more: it bounds memory and time. */
export const PORTION_FACTS = 250;

/**
 * The records of one group of the queue: they are handled in their order, and no further than the first that fails.
 * After a failure of several together they are taken one by one, so that those before the one that fails are done.
 */
export class RecordGroup {
  readonly #records: readonly RecordInHand[];
  #done = 0;
  #isStopped = false;
  #oneByOne = false;

  constructor(records: readonly RecordInHand[]) {
    this.#records = records;
  }

  /** The next record; undefined when all are done, or one has failed. */
  get next(): RecordInHand | undefined {
    return this.#isStopped ? undefined : this.#records[this.#done];
  }

  /** The records that are to be recorded next: of one connection, and none that is no batch. */
  portion(): Portion {
    const records: RecordInHand[] = [];
    let facts = 0;
    for (const one of this.#records.slice(this.#done)) {
      const [first = one] = records;
      if (!('batch' in one.read) || !('batch' in first.read) || !isSame(first.read.batch, one.read.batch)) break;
      facts += one.read.batch.events.length;
      if (records.length > 0 && (this.#oneByOne || facts > PORTION_FACTS)) break;
      records.push(one);
    }
    return { group: this, records };
  }

  done(count: number): void {
    this.#done += count;
  }

  failed(count: number): void {
    if (count > 1) this.#oneByOne = true;
    else this.#isStopped = true;
  }

  /** The records that are to come again. */
  get left(): readonly SQSRecord[] {
    return this.#records.slice(this.#done).map(({ record }) => record);
  }
}

function isSame(one: BatchEnvelope, other: BatchEnvelope): boolean {
  return one.tenantId === other.tenantId && one.connectionId === other.connectionId;
}

/** The groups of an invocation. */
export function toGroups(records: readonly SQSRecord[]): readonly RecordGroup[] {
  const groups = Map.groupBy(records, (record) => record.attributes.MessageGroupId ?? record.messageId);
  return [...groups.values()].map((group) => new RecordGroup(group.map(readRecord)));
}

function readRecord(record: SQSRecord): RecordInHand {
  const parsed = parseBody(batchEnvelopeSchema, record);
  return { record, read: 'body' in parsed ? { batch: parsed.body } : { wrongFields: parsed.wrongFields } };
}

export function toResponse(groups: readonly RecordGroup[]): SQSBatchResponse {
  return {
    batchItemFailures: groups.flatMap(({ left }) => left.map(({ messageId }) => ({ itemIdentifier: messageId }))),
  };
}
