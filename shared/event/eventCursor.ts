import { createHash } from 'node:crypto';
import { AppError } from '../kernel/appError.ts';
import { parseEventId, type TenantId } from '../kernel/id.ts';
import { lanesIn } from './eventLanes.ts';

/**
 * The place of a reader in a tenant's log: how far it has come in each lane of the generation that it reads. Callers get
 * it as opaque text. The text is checked when it comes back: a place that was cut short, made up, or given to another
 * tenant would pass over events without a word.
 */
export interface ReaderPlace {
  readonly generation: number;
  /** The lane with which the next read begins, so that each gets its turn. */
  readonly turn: number;
  /** One for each lane of the generation. */
  readonly lanes: readonly LanePlace[];
}

/** How far a reader has come in one lane. */
export interface LanePlace {
  /** The last page of which it has all events. */
  readonly page: number;
  /** The number of events that it has of the page after it. */
  readonly taken: number;
}

const FORM = 1;
const CHECK_BYTES = 4;
/** The longest text of a cursor: 64 lanes with numbers of any length. */
const MOST_CHARACTERS = 1_600;

/** The place before the first event of a generation. */
export function startOf(generation: number): ReaderPlace {
  return { generation, turn: 0, lanes: Array.from({ length: lanesIn(generation) }, () => ({ page: 0, taken: 0 })) };
}

/** The text of a place. */
export function toCursor(tenantId: TenantId, { generation, turn, lanes }: ReaderPlace): string {
  const numbers = [FORM, generation, turn, ...lanes.flatMap(({ page, taken }) => [page, taken])];
  const bytes = Buffer.from(numbers.flatMap(toVarint));
  return Buffer.concat([bytes, checkOf(tenantId, bytes)]).toString('base64url');
}

/** The place that a text names. Throws `invalid_cursor` for any text that was not given to this tenant. */
export function parseCursor(tenantId: TenantId, text: string): ReaderPlace {
  if (parseEventId(text) !== undefined) throw new AppError('invalid_cursor', { detail: AN_EVENT_ID });
  const place = text.length > MOST_CHARACTERS ? undefined : readPlace(tenantId, text);
  if (place === undefined) throw new AppError('invalid_cursor');
  return place;
}

const AN_EVENT_ID =
  'An event id is no cursor: it says nothing about the events of your other connections. Use `next` of the page that ' +
  'you read last, or leave it out to begin with the oldest event that is kept.';

function readPlace(tenantId: TenantId, text: string): ReaderPlace | undefined {
  const whole = Buffer.from(text, 'base64url');
  const bytes = whole.subarray(0, -CHECK_BYTES);
  // Text with other characters, or with bits that mean nothing, is not the text that was given out.
  if (whole.toString('base64url') !== text || !checkOf(tenantId, bytes).equals(whole.subarray(-CHECK_BYTES))) {
    return undefined;
  }
  const [form, generation, turn, ...rest] = readVarints(bytes);
  if (form !== FORM || generation === undefined || turn === undefined) return undefined;
  const count = lanesIn(generation);
  if (rest.length !== 2 * count || turn >= count) return undefined;
  const lanes = Array.from({ length: count }, (_, lane) => ({
    page: rest[2 * lane] ?? 0,
    taken: rest[2 * lane + 1] ?? 0,
  }));
  return { generation, turn, lanes };
}

function checkOf(tenantId: TenantId, bytes: Buffer): Buffer {
  return createHash('sha256').update(tenantId).update(bytes).digest().subarray(0, CHECK_BYTES);
}

/** A number in groups of seven bits, the lowest first; the eighth bit says that there is another. */
function toVarint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

function readVarints(bytes: Buffer): readonly number[] {
  const numbers: number[] = [];
  let [value, factor] = [0, 1];
  for (const byte of bytes) {
    value += (byte % 0x80) * factor;
    factor *= 0x80;
    if (byte >= 0x80) continue;
    numbers.push(value);
    [value, factor] = [0, 1];
  }
  return numbers;
}
