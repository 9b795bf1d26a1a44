/** Another worker owns the connection now: a conditional write was refused. Stop at once, write nothing more. */
export class OwnershipLostError extends Error {
  override readonly name = 'OwnershipLostError';

  constructor(item: string, options?: ErrorOptions) {
    super(`another owner has written ${item}`, options);
  }
}

/** A stored item cannot be read: changed, cut, or sealed for somebody else. Never to be taken for absence. */
export class UnreadableItemError extends Error {
  override readonly name = 'UnreadableItemError';

  constructor(item: string, options?: ErrorOptions) {
    super(`${item} cannot be read`, options);
  }
}

/**
 * The item has moved on under our own token: an earlier write of ours, which we had given up, was taken after all. What we
 * remember of the item is old; it must be read again.
 */
export class StaleItemError extends Error {
  override readonly name = 'StaleItemError';

  constructor(sk: string, options?: ErrorOptions) {
    super(`session item ${sk} is newer than what was read`, options);
  }
}

/** The item is older than the one that we wrote, or gone: somebody has put old data back, or removed it. */
export class ItemWentBackError extends Error {
  override readonly name = 'ItemWentBackError';

  constructor(sk: string, options?: ErrorOptions) {
    super(`session item ${sk} is older than what was written`, options);
  }
}
