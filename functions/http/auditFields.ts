import type { AuditFields } from '../../shared/audit/auditEntry.ts';

/** The most characters of JSON that an entry keeps of one field: of a longer one it says how long it is. */
const FIELD_CHARACTERS = 4_096;
/** An id of ours. A caller may write anything there, also what no table takes. */
const OUR_ID = /^[a-z]{3}_[0-9A-Z_]{1,64}$/;

/**
 * The fields of a record or a request that may be shown, and no others; undefined where there is none. Of an address its host is shown:
 * what follows may be a secret.
 */
export function shownFields(from: unknown, names: readonly string[]): AuditFields | undefined {
  if (typeof from !== 'object' || from === null) return undefined;
  const record = from as Readonly<Record<string, unknown>>;
  const found = names.filter((name) => Object.hasOwn(record, name) && record[name] !== undefined);
  if (found.length === 0) return undefined;
  return Object.fromEntries(found.map((name) => [name, shown(name, record[name])]));
}

/** The ids of ours in a path, and of what is none that there was something else. What names a person, a group or a call of WhatsApp is left out. */
export function idsOf(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const ids = Object.entries(parameters).filter(([name]) => name.endsWith('Id') && name !== 'callId');
  if (ids.length === 0) return undefined;
  return Object.fromEntries(ids.map(([name, id]) => [name, OUR_ID.test(id) ? id : '(no id)']));
}

function shown(name: string, value: unknown): unknown {
  if (name === 'url') return hostOf(value);
  const text = JSON.stringify(value);
  return text.length > FIELD_CHARACTERS ? `(${text.length} characters)` : value;
}

function hostOf(url: unknown): string {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).host : '(no address)';
}
