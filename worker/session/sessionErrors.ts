/**
 * Another worker owns the connection now: a conditional write was refused. The caller stops at once and writes nothing
 * more.
 */
export class OwnershipLostError extends Error {
  override readonly name = 'OwnershipLostError';

  constructor(item: string, options?: ErrorOptions) {
    super(`another owner has written ${item}`, options);
  }
}

/** A stored item cannot be read: changed, cut, or sealed for another place. It must never be taken for absent. */
export class UnreadableItemError extends Error {
  override readonly name = 'UnreadableItemError';

  constructor(item: string, options?: ErrorOptions) {
    super(`${item} cannot be read`, options);
  }
}

/**
 * The item has moved on under this owner's own token: an earlier write of it that was given up was taken after all. The
 * remembered item is old; it must be read again.
 */
export class StaleItemError extends Error {
  override readonly name = 'StaleItemError';

  constructor(sk: string, options?: ErrorOptions) {
    super(`session item ${sk} is newer than what was read`, options);
  }
}

/** The item is older than the one that was written, or gone: somebody has put old data back, or removed it. */
export class ItemWentBackError extends Error {
  override readonly name = 'ItemWentBackError';

  constructor(sk: string, options?: ErrorOptions) {
    super(`session item ${sk} is older than what was written`, options);
  }
}
