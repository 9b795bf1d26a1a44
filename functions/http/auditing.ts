import type { AskedEntry, AuditActor, EndedEntry } from '../../shared/audit/auditEntry.ts';
import type { AuditTrails } from '../../shared/audit/auditTrail.ts';
import type { Principal } from '../../shared/identity/principal.ts';
import { errorRules } from '../../shared/kernel/errorRules.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { makeId, parseId } from '../../shared/kernel/id.ts';
import type { AuditOwner } from '../../shared/platform/auditKeys.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { idsOf, shownFields } from './auditFields.ts';
import { auditRuleOf, pathBefore, type AuditRule } from './auditRule.ts';
import { toAppError } from './problem.ts';
import type { Answer, Request, Route, Router } from './route.ts';

export interface AuditingDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly audit: AuditTrails;
}

/** A request that may be answered: its route has it, its key opens it, and its body is in form. */
export interface Asked {
  readonly route: Route;
  readonly principal: Principal | undefined;
  /** The address that it came from. */
  readonly address: string;
  readonly request: Request<unknown, unknown>;
}

/**
 * Has a route answer a request, with an entry of audit around it where the route is audited. What is asked for is written down first, and
 * a request for which that fails is refused: so nothing changes without an entry.
 *
 * - The process dies after that: the entry says nothing of an end, so it may or may not have been done.
 * - The end cannot be written: the same, and a line in the log has it.
 * - The record changes between the look at it and the change: `before` is as old as that look.
 */
export async function answerAudited(dependencies: AuditingDependencies, router: Router, asked: Asked): Promise<Answer> {
  const { route, principal, request } = asked;
  const rule = auditRuleOf(route);
  if (rule === undefined || principal === undefined) return route.handle(request);
  const owners = ownersOf(principal, request.parameters);
  const entry = await entryOf(dependencies, router, { ...asked, principal }, rule);
  await dependencies.audit.ask(owners, entry);
  const end = (ended: Omit<EndedEntry, 'endedAtMs'>): Promise<void> => noteEnd(dependencies, owners, entry, ended);
  try {
    const answer = await route.handle(request);
    await end({ outcome: 'done', httpStatus: answer.status, after: shownFields(answer.json, rule.shows) });
    return answer;
  } catch (thrown) {
    const { code } = toAppError(thrown);
    await end({ outcome: 'refused', httpStatus: errorRules[code].httpStatus, code });
    throw thrown;
  }
}

/** The trails that an entry stands in: what an operator does about a tenant is in that tenant's, too. */
function ownersOf(principal: Principal, parameters: Readonly<Record<string, string>>): readonly AuditOwner[] {
  if (principal.role === 'tenant') return [principal.tenantId];
  const tenantId = parseId('tnt', parameters['tenantId'] ?? '');
  return tenantId === undefined ? ['OPERATORS'] : ['OPERATORS', tenantId];
}

async function entryOf(
  { clock, random }: AuditingDependencies,
  router: Router,
  { route, principal, address, request }: Asked & { readonly principal: Principal },
  { shows, before: where }: AuditRule,
): Promise<AskedEntry> {
  const { role, keyId } = principal;
  const actor: AuditActor = { role, keyId, address };
  const before = where === 'none' ? undefined : await readBefore(router, route, request, where);
  const atMs = clock.nowMs();
  return {
    auditId: makeId('aud', atMs, random),
    atMs,
    actor,
    action: `${route.method} ${route.path}`,
    correlationId: request.correlationId,
    ids: idsOf(request.parameters),
    asked: shownFields({ ...asRecord(request.query), ...asRecord(request.body) }, shows),
    before: shownFields(before, shows),
  };
}

/** The record as its path shows it. What cannot be read is left out: the route itself says why. */
async function readBefore(
  router: Router,
  { path }: Route,
  request: Request<unknown, unknown>,
  where: Exclude<AuditRule['before'], 'none'>,
): Promise<unknown> {
  const match = router('GET', pathBefore(path, where));
  if (match.outcome !== 'found') return undefined;
  try {
    const { json } = await match.route.handle({ ...request, body: undefined, query: undefined });
    if (where === 'own_path') return json;
    const { data = [] } = json as { readonly data?: readonly { readonly id?: unknown }[] };
    return data.find(({ id }) => Object.values(request.parameters).includes(String(id)));
  } catch (thrown) {
    if (errorRules[toAppError(thrown).code].httpStatus >= 500) throw thrown;
    return undefined;
  }
}

async function noteEnd(
  { audit, clock, logger }: AuditingDependencies,
  owners: readonly AuditOwner[],
  entry: AskedEntry,
  ended: Omit<EndedEntry, 'endedAtMs'>,
): Promise<void> {
  const { auditId, action, correlationId } = entry;
  try {
    const whole = { ...ended, endedAtMs: clock.nowMs() };
    await withDeadline('the end of an entry of audit', deadlines.auditEnd.ms, () => audit.end(owners, entry, whole));
  } catch (error) {
    const { outcome, httpStatus } = ended;
    logger.error('the end of an entry of audit could not be written', {
      auditId,
      action,
      correlationId,
      outcome,
      httpStatus,
      error,
    });
  }
}

function asRecord(value: unknown): object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
