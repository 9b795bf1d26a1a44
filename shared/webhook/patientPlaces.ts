import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { patientPlacesKey } from '../platform/keys.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { tableName } from '../platform/tables.ts';

interface PlaceDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** A place that a batch holds, until it gives it back or its time is over. */
export interface PatientPlace {
  readonly number: number;
  readonly untilMs: number;
}

/**
 * How many batches of the usual deliveries queue wait longer than a second for a receiver, over all processes (`slowEndpoint.ts`): a quarter of
 * what the smallest shape has under way at once.
 */
export const PATIENT_BATCHES = 2;

/** How long a place is held whose process has died, in milliseconds: longer than a function runs. */
export const PLACE_HELD_MS = 30_000;

/**
 * The places of batches that wait for a receiver. They are attributes of one row, each with the time until which it is held.
 *
 * - The process dies: its place is free when its time is over.
 * - Two take one place at once: the condition of the write lets one.
 * - A place is given back twice, or after its time: the condition finds another time in it.
 */
export class PatientPlaces {
  readonly #dependencies: PlaceDependencies;

  constructor(dependencies: PlaceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes a place. Condition: nobody has it, or its time is over. Undefined when all are taken. Throws when that is not known. */
  async take(): Promise<PatientPlace | undefined> {
    const { clock, random } = this.#dependencies;
    const first = Math.floor(random.unit() * PATIENT_BATCHES);
    for (let tried = 0; tried < PATIENT_BATCHES; tried += 1) {
      const nowMs = clock.nowMs();
      const place = { number: (first + tried) % PATIENT_BATCHES, untilMs: nowMs + PLACE_HELD_MS };
      const isTaken = await this.#write(place.number, {
        UpdateExpression: 'SET #place = :until',
        ConditionExpression: 'attribute_not_exists(#place) OR #place <= :now',
        ExpressionAttributeValues: { ':until': place.untilMs, ':now': nowMs },
      });
      if (isTaken) return place;
    }
    return undefined;
  }

  /** Gives a place back. Condition: it is still held so. */
  async giveBack({ number, untilMs }: PatientPlace): Promise<void> {
    await this.#write(number, {
      UpdateExpression: 'REMOVE #place',
      ConditionExpression: '#place = :until',
      ExpressionAttributeValues: { ':until': untilMs },
    });
  }

  /** Returns whether the condition was met. */
  async #write(
    number: number,
    input: {
      readonly UpdateExpression: string;
      readonly ConditionExpression: string;
      readonly ExpressionAttributeValues: Record<string, number>;
    },
  ): Promise<boolean> {
    const { table, stage } = this.#dependencies;
    try {
      await table.send(
        new UpdateCommand({
          TableName: tableName(stage, 'core'),
          Key: patientPlacesKey,
          ExpressionAttributeNames: { '#place': `place${number}` },
          ...input,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
