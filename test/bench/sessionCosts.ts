import { BatchGetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { BatchGetCommandOutput } from '@aws-sdk/lib-dynamodb';
import { itemBytes, readUnits, writeUnits } from './itemBytes.ts';

/** What a store was asked for. */
export interface Costs {
  readonly writes: number;
  readonly writeUnits: number;
  readonly bytes: number;
  readonly reads: number;
  readonly readUnits: number;
}

/** Counts what is written to and read from a session store, and remembers how big each item is now. */
export class CostMeter {
  #costs = nothing();
  /** Bytes of each item, by name. */
  readonly sizes = new Map<string, number>();

  wrote(name: string, bytes: number): void {
    const { writes, writeUnits: units, bytes: before } = this.#costs;
    this.#costs = { ...this.#costs, writes: writes + 1, writeUnits: units + writeUnits(bytes), bytes: before + bytes };
    this.sizes.set(name, bytes);
  }

  read(bytes: number): void {
    const { reads, readUnits: units } = this.#costs;
    this.#costs = { ...this.#costs, reads: reads + 1, readUnits: units + readUnits(bytes) };
  }

  /** A command of the session store that was answered. */
  observe(command: unknown, answer: unknown): void {
    if (command instanceof PutCommand) {
      const item = command.input.Item ?? {};
      this.wrote(String(item['sk']), itemBytes(item));
    }
    if (command instanceof TransactWriteCommand) {
      // DynamoDB bills a write of a transaction twice.
      for (const { Put } of command.input.TransactItems ?? []) {
        const item = Put?.Item ?? {};
        for (const _ of ['prepared', 'committed']) this.wrote(String(item['sk']), itemBytes(item));
      }
    }
    if (command instanceof BatchGetCommand) {
      const [keys] = Object.values(command.input.RequestItems ?? {});
      const found = Object.values((answer as BatchGetCommandOutput).Responses ?? {}).flat();
      for (const item of found) this.read(itemBytes(item));
      for (let missing = found.length; missing < (keys?.Keys?.length ?? 0); missing += 1) this.read(0);
    }
  }

  /** Costs since the last call. */
  take(): Costs {
    const costs = this.#costs;
    this.#costs = nothing();
    return costs;
  }
}

function nothing(): Costs {
  return { writes: 0, writeUnits: 0, bytes: 0, reads: 0, readUnits: 0 };
}
