/** A part of a file: both ends are of it. */
export interface Part {
  readonly start: number;
  readonly end: number;
  readonly isWhole: boolean;
}

/** The part that a `Range` header asks for; the whole without a header, undefined when there is no such part. */
export function rangeOf(header: string | undefined, bytes: number): Part | undefined {
  if (header === undefined) return { start: 0, end: bytes - 1, isWhole: true };
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return start > end ? undefined : { start, end, isWhole: false };
}
