/** The condition under which an owner may write an item, with the names and values in it, and what the write sets. */
export interface Fence {
  readonly condition: string;
  /**
   * The part of a `SET` by which the item refuses older owners from now on. A put has the attribute in its item
   * instead.
   */
  readonly set: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * The fence: an owner's write is refused where a newer owner has written. Each owned item holds the epoch of the owner
 * that wrote it last; an item that nobody has written under an epoch yet is open to any owner.
 * @param attribute where the item holds the epoch
 * @param epoch the shard's epoch, under which the writer owns it
 */
export function fencedBy(attribute: 'token' | 'statusToken' | 'epoch', epoch: number): Fence {
  return {
    condition: '(attribute_not_exists(#fence) OR #fence <= :fence)',
    set: '#fence = :fence',
    names: { '#fence': attribute },
    values: { ':fence': epoch },
  };
}
