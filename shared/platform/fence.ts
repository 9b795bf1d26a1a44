/** The condition under which an owner may write an item, with the names and values in it, and what the write sets. */
export interface Fence {
  readonly condition: string;
  /** Part of a `SET`: from now on the item refuses older owners. A put has the attribute in its item instead. */
  readonly set: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * The fence: an owner's write is refused where a newer owner has written. Each owned item holds the epoch of the owner that
 * wrote it last; an item that nobody has written under an epoch yet is anybody's.
 * @param attribute where the item holds the epoch
 * @param epoch of the shard, under which the writer owns it
 */
export function fencedBy(attribute: 'token' | 'statusToken' | 'epoch', epoch: number): Fence {
  return {
    condition: '(attribute_not_exists(#fence) OR #fence <= :fence)',
    set: '#fence = :fence',
    names: { '#fence': attribute },
    values: { ':fence': epoch },
  };
}
