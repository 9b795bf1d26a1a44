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
