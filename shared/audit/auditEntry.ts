import type { ApiKeyId, AuditId, CorrelationId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { auditKey, type AuditOwner } from '../platform/auditKeys.ts';

/** The one who asked for something: a program of a tenant, an operator over the API, or a person at the command line. */
export type AuditActor =
  | { readonly role: 'tenant' | 'operator'; readonly keyId: ApiKeyId; readonly address: string }
  | { readonly role: 'command_line'; readonly by: string };

/** What is shown of a request or a record: values of fields that a table allows, never a secret and never what a message says. */
export type AuditFields = Readonly<Record<string, unknown>>;

/** The first half of an entry, which is written before anything is done. */
export interface AskedEntry {
  readonly auditId: AuditId;
  readonly atMs: number;
  readonly actor: AuditActor;
  /** The method and the path as a template, such as `PATCH /v1/tenant`; or the command. */
  readonly action: string;
  readonly correlationId: CorrelationId;
  /** The ids in the path. */
  readonly ids?: Readonly<Record<string, string>> | undefined;
  /** What the request says. */
  readonly asked?: AuditFields | undefined;
  /** What there was before. */
  readonly before?: AuditFields | undefined;
}

/** The second half: how it ended. */
export interface EndedEntry {
  readonly outcome: 'done' | 'refused';
  readonly endedAtMs: number;
  readonly httpStatus?: number | undefined;
  /** The code of the problem with which it was refused. */
  readonly code?: string | undefined;
  /** What there is after it. */
  readonly after?: AuditFields | undefined;
}

/** An entry as it is read. Without its second half nobody knows whether what was asked for was done: its process died, or could not write. */
export interface AuditEntry extends AskedEntry {
  readonly ended: EndedEntry | undefined;
}

/** The row of the first half. */
export function toAskedItem(owner: AuditOwner, entry: AskedEntry): Readonly<Record<string, unknown>> {
  return { ...auditKey(owner, entry.auditId, 'asked'), ...entry, ttl: expiryOf('audit', entry.atMs) };
}

/** The row of the second half: it goes with the first one. */
export function toEndedItem(
  owner: AuditOwner,
  { auditId, atMs }: Pick<AskedEntry, 'auditId' | 'atMs'>,
  ended: EndedEntry,
): Readonly<Record<string, unknown>> {
  return { ...auditKey(owner, auditId, 'ended'), auditId, ended, ttl: expiryOf('audit', atMs) };
}
