/** Where it is said that something has changed that must survive a restart. */
export interface Changes {
  /**
   * Says that a record is new, has changed, or is gone.
   * @param key its name: a kind, the number of its account, and what tells it apart, with `/` between them
   * @param read gives its present value when it is saved; undefined when it is gone
   */
  readonly note: (key: string, read: () => unknown) => void;
}

/** A world with these is forgotten when the process ends. */
export const nothingKept: Changes = { note: () => undefined };
