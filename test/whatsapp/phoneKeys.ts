import type { SignalDataSet, SignalDataTypeMap, SignalKeyStoreWithTransaction } from '@whiskeysockets/baileys';
import type { Changes } from './changes.ts';

export type Values = Record<string, Record<string, unknown>>;

/**
 * The Signal keys of a phone. Values are handed out as they are stored, not as copies: libsignal makes objects of its own
 * from them, and changes those. What an operation writes counts when it has succeeded, and then all at once: a message
 * that fails to open leaves no trace. A phone does one operation at a time, so no lock is needed.
 */
export class PhoneKeys implements SignalKeyStoreWithTransaction {
  readonly values: Values;
  readonly #number: string;
  readonly #changes: Changes;
  /** What the present operation has written so far; null is gone. */
  #written: Map<string, readonly [type: string, id: string, value: unknown]> | undefined;

  constructor(number: string, changes: Changes, saved: Values = {}) {
    this.#number = number;
    this.#changes = changes;
    this.values = saved;
  }

  async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const id of ids) {
      const written = this.#written?.get(`${type}/${id}`);
      const value = written === undefined ? this.values[type]?.[id] : written[2];
      if (value !== undefined && value !== null) found[id] = value as SignalDataTypeMap[T];
    }
    return found;
  }

  async set(data: SignalDataSet): Promise<void> {
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries ?? {})) {
        if (this.#written === undefined) this.put(type, id, value);
        else this.#written.set(`${type}/${id}`, [type, id, value]);
      }
    }
  }

  async transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#written !== undefined) return await work();
    const written = new Map<string, readonly [string, string, unknown]>();
    this.#written = written;
    try {
      const result = await work();
      for (const [type, id, value] of written.values()) this.put(type, id, value);
      return result;
    } finally {
      this.#written = undefined;
    }
  }

  isInTransaction(): boolean {
    return this.#written !== undefined;
  }

  /** Stores a value at once; null removes it. */
  put(type: string, id: string, value: unknown): void {
    const stored = (this.values[type] ??= {});
    if (value === null) delete stored[id];
    else stored[id] = value;
    this.#changes.note(`value/${this.#number}/${type}/${id}`, () => this.values[type]?.[id]);
  }

  /** Removes every value. */
  clear(): void {
    for (const [type, stored] of Object.entries(this.values)) {
      for (const id of Object.keys(stored)) this.put(type, id, null);
      delete this.values[type];
    }
  }
}
