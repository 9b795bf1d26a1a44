import type { ErrorCode } from '../kernel/errorRules.ts';

/** What both kinds of quota say of themselves. */
interface CommonRow {
  /** The most of a tenant for which neither its plan nor an operator says anything. */
  readonly usual: number;
  /** The most that an operator or a plan may allow. */
  readonly ceiling: number;
  readonly unit:
    'bytes' | 'connections' | 'endpoints' | 'messages' | 'actions' | 'requests' | 'pairings' | 'streams' | 'sends';
  /** The problem that is answered at its end. */
  readonly code: ErrorCode;
  /** What it counts, in a sentence for who is kept by it. */
  readonly sentence: string;
}

/** How many there may be at one time. Such a quota is exact where its row does not say otherwise. */
export interface LevelRow extends CommonRow {
  readonly kind: 'level';
  /** What has so many: the tenant, or each of its connections. */
  readonly of: 'tenant' | 'connection';
}

/** How many may come in a time: so many at once, and as many anew in each window, evenly. */
export interface RateRow extends CommonRow {
  readonly kind: 'rate';
  readonly of: 'tenant' | 'connection' | 'key' | 'number';
  readonly windowSeconds: number;
}

export type QuotaRow = LevelRow | RateRow;

const rate = (windowSeconds: number, of: RateRow['of'], row: CommonRow): RateRow => ({
  kind: 'rate',
  windowSeconds,
  of,
  ...row,
});

const level = (of: LevelRow['of'], row: CommonRow): LevelRow => ({ kind: 'level', of, ...row });

/**
 * What a tenant may have and do, a row for each quota (docs/limits.md). Plans and operators give other numbers by these names; answers,
 * headers and documents use the same.
 */
export const quotaRows = {
  requests: rate(10, 'tenant', {
    usual: 1_000,
    ceiling: 1_000_000,
    unit: 'requests',
    code: 'too_many_requests',
    sentence: 'Requests of all keys of the tenant.',
  }),
  requestsOfKey: rate(10, 'key', {
    usual: 1_000,
    ceiling: 1_000_000,
    unit: 'requests',
    code: 'too_many_requests',
    sentence: 'Requests with one API key.',
  }),
  messagesPerMinute: rate(60, 'tenant', {
    usual: 1_000,
    ceiling: 1_000_000,
    unit: 'messages',
    code: 'too_many_messages',
    sentence: 'Messages that are accepted one by one, on all connections.',
  }),
  messagesPerDay: rate(86_400, 'tenant', {
    usual: 100_000,
    ceiling: 100_000_000,
    unit: 'messages',
    code: 'too_many_messages',
    sentence: 'Messages that are accepted, and lines of bulk sends, on all connections.',
  }),
  actions: rate(60, 'tenant', {
    usual: 600,
    ceiling: 1_000_000,
    unit: 'actions',
    code: 'too_many_actions',
    sentence: 'Actions that are accepted, on all connections.',
  }),
  pairings: rate(3_600, 'tenant', {
    usual: 60,
    ceiling: 100_000,
    unit: 'pairings',
    code: 'too_many_pairings',
    sentence: 'Pairing offers that are asked for, on all connections.',
  }),
  pairingsOfConnection: rate(3_600, 'connection', {
    usual: 12,
    ceiling: 10_000,
    unit: 'pairings',
    code: 'too_many_pairings',
    sentence: 'Pairing offers that are asked for on one connection.',
  }),
  pairingsOfNumber: rate(3_600, 'number', {
    usual: 6,
    ceiling: 10_000,
    unit: 'pairings',
    code: 'too_many_pairings',
    sentence: 'Pairing codes that are asked for one phone number: its phone shows a notice for each.',
  }),
  mediaBytesPerDay: rate(86_400, 'tenant', {
    usual: 20_000_000_000,
    ceiling: 100_000_000_000_000,
    unit: 'bytes',
    code: 'too_many_bytes',
    sentence: 'Bytes of the files that the tenant brings with POST /v1/media.',
  }),
  connections: level('tenant', {
    usual: 1_000,
    ceiling: 1_000_000,
    unit: 'connections',
    code: 'quota_exceeded',
    sentence: 'Connections, with and without an account.',
  }),
  unpairedConnections: level('tenant', {
    usual: 25,
    ceiling: 1_000,
    unit: 'connections',
    code: 'quota_exceeded',
    sentence: 'Connections to which no account was ever linked.',
  }),
  webhooks: level('tenant', {
    usual: 10,
    ceiling: 50,
    unit: 'endpoints',
    code: 'quota_exceeded',
    sentence: 'Webhooks: each gets each event, so their number multiplies the work.',
  }),
  streams: level('tenant', {
    usual: 20,
    ceiling: 1_000,
    unit: 'streams',
    code: 'too_many_readers',
    sentence: 'Streams of events that are open.',
  }),
  waitingRequests: level('tenant', {
    usual: 3,
    ceiling: 100,
    unit: 'requests',
    code: 'too_many_readers',
    sentence: 'Requests that wait for events.',
  }),
  openActions: level('connection', {
    usual: 100,
    ceiling: 1_000,
    unit: 'actions',
    code: 'too_many_actions',
    sentence: 'Actions of one connection that are not over.',
  }),
  openBulkSends: level('connection', {
    usual: 10,
    ceiling: 100,
    unit: 'sends',
    code: 'too_many_bulk_sends',
    sentence: 'Bulk sends of one connection that are not over.',
  }),
  storedBytes: level('tenant', {
    usual: 50_000_000_000,
    ceiling: 1_000_000_000_000_000,
    unit: 'bytes',
    code: 'quota_exceeded',
    sentence: 'Bytes of files that are kept, when one more is brought.',
  }),
} satisfies Readonly<Record<string, QuotaRow>>;

export type QuotaName = keyof typeof quotaRows;
export const quotaNames = Object.keys(quotaRows) as readonly QuotaName[];
type NamesOf<Kind extends QuotaRow['kind']> = {
  [Name in QuotaName]: (typeof quotaRows)[Name] extends { readonly kind: Kind } ? Name : never;
}[QuotaName];
export type RateName = NamesOf<'rate'>;

/** The most of each quota. */
export type Quotas = Readonly<Record<QuotaName, number>>;
/** Numbers for some of them. */
export type QuotaChoices = Partial<Quotas>;

/** The quotas of a tenant that has no plan, and of which no operator has said anything. */
export const usualQuotas = Object.fromEntries(
  quotaNames.map((name) => [name, quotaRows[name].usual]),
) as unknown as Quotas;
