import { describe, expect, it } from 'vitest';
import { LINK_TRIES } from '../../../functions/media/fetchLink.ts';
import { retrySeconds } from '../../../functions/media/retrySchedule.ts';
import { beginWithinMs } from '../../../shared/action/acceptAction.ts';
import { asShownAction, endOfExpired, type Action } from '../../../shared/action/action.ts';
import { actionRows, pathFieldsOf, rowOf, type ActionKind } from '../../../shared/action/actionKinds.ts';
import { LONGEST_ACTION_MS, type ActionRow } from '../../../shared/action/actionRow.ts';
import { actionViewSchema, toActionView } from '../../../shared/action/actionView.ts';
import { awaitEnd, pausesWithin } from '../../../shared/action/awaitEnd.ts';
import { BEGIN_WITHIN_MS } from '../../../shared/action/action.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';

const rows = actionRows as readonly unknown[] as readonly ActionRow<ActionKind>[];

describe('the rows of actions', () => {
  it('have names and paths of their own', () => {
    const places = rows.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);

    expect(new Set(rows.map(({ kind }) => kind)).size).toBe(rows.length);
    expect(new Set(places).size).toBe(rows.length);
  });

  it.each(rows.map((row) => [row.kind, row] as const))('%s is whole', (_kind, row) => {
    const fields = Object.keys(row.request.shape);

    expect(row.request.safeParse(row.example.request).error).toBeUndefined();
    expect(row.result.safeParse(row.example.result).error).toBeUndefined();
    expect(row.request.safeParse({ ...row.example.request, surprise: 1 }).success).toBe(false);
    expect(fields).not.toContain('expires_at');
    expect(pathFieldsOf(row).filter((name) => !fields.includes(name))).toEqual([]);
    expect(row.path).toMatch(/^[a-z][\w{}/-]*[\w}]$/);
    expect(row.deadlineMs).toBeLessThanOrEqual(LONGEST_ACTION_MS);
    expect(row.deadlineMs).toBeLessThan(BEGIN_WITHIN_MS);
    expect(row.budget.burst).toBeGreaterThanOrEqual(1);
    expect(row.budget.perSecond).toBeGreaterThan(0);
    expect(row.summary.length).toBeLessThan(100);
    expect(row.description.length).toBeGreaterThan(40);
  });

  it('with a file wait for longer than a link is tried, and so end with what is wrong with it', () => {
    const pauses = Array.from({ length: LINK_TRIES - 1 }, (_, tries) => retrySeconds(tries + 1, 0));
    const triedForMs = pauses.reduce((sum, seconds) => sum + seconds, 0) * 1_000;
    const withFile = rows.filter(({ file }) => file !== undefined);

    expect(withFile.length).toBeGreaterThan(0);
    for (const { kind } of withFile) expect(beginWithinMs(kind)).toBeGreaterThan(triedForMs + LINK_TRIES * 10_000);
    expect(beginWithinMs('chat_typing')).toBe(BEGIN_WITHIN_MS);
  });

  it('are shown as they are described', () => {
    for (const { kind, example } of rows) {
      const view = toActionView(
        { ...anAction(), kind, request: example.request, result: example.result, state: 'succeeded', endedAtMs: 5 },
        10,
      );

      expect(actionViewSchema.safeParse(view).error).toBeUndefined();
    }
  });
});

function anAction(overrides: Partial<Action> = {}): Action {
  return {
    actionId: 'act_1' as Action['actionId'],
    tenantId: 'tnt_1' as Action['tenantId'],
    connectionId: 'con_1' as Action['connectionId'],
    kind: 'chat_typing',
    account: '4915100000001@s.whatsapp.net',
    request: {},
    state: 'accepted',
    correlationId: 'cor-1' as Action['correlationId'],
    createdAtMs: 0,
    expiresAtMs: 1_000,
    attempts: 0,
    ...overrides,
  };
}

describe('an action as a reader sees it', () => {
  const LATE = 1_000 + 2 * LONGEST_ACTION_MS + 1;

  it.each<[string, Partial<Action>, number, string]>([
    ['stays as it is until it expires', {}, 1_000, 'accepted'],
    ['stays as it is a little longer, for clocks differ', {}, LATE - 1, 'accepted'],
    ['has expired when nobody ended it', {}, LATE, 'expired/expired'],
    ['has expired when it may be asked for again and nobody did', { state: 'running' }, LATE, 'expired/expired'],
    ['was limited to its end', { limitedBy: 429 }, LATE, 'failed/limited'],
    ['keeps its end', { state: 'succeeded', result: {} }, LATE, 'succeeded'],
  ])('%s', (_name, overrides, nowMs, expected) => {
    const { state, error } = asShownAction(anAction(overrides), nowMs);

    expect(error === undefined ? state : `${state}/${error.code}`).toBe(expected);
  });

  it('never shows an end that may still change: what is begun last ends before it is late', () => {
    const longest = Math.max(...rows.map(({ deadlineMs }) => deadlineMs));

    expect(asShownAction(anAction({ state: 'running' }), 1_000 + longest).state).toBe('running');
  });

  it('says what limited it', () => {
    expect(endOfExpired({ limitedBy: 429, attempts: 1 })).toEqual({
      state: 'failed',
      error: { code: 'limited', whatsappCode: 429 },
    });
    expect(rowOf('chat_typing').effect).toBe('repeatable');
  });
});

describe('the wait for an end', () => {
  it.each([
    [0, 0],
    [1, 1],
    [25, 1],
    [1_000, 6],
    [10_000, 16],
    [25_000, 31],
  ])('of %i ms has %i pauses and is no longer', (waitMs, count) => {
    const pauses = pausesWithin(waitMs);

    expect(pauses.length).toBe(count);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(waitMs);
  });

  it('ends with the action, and passes over a store that does not answer', async () => {
    const answers: (Action | Error | undefined)[] = [
      new Error('busy'),
      undefined,
      anAction(),
      anAction({ state: 'succeeded' }),
    ];
    let reads = 0;
    const actions = {
      find: async () => {
        const answer = answers[reads++];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };

    const found = await awaitEnd({ actions, clock: systemClock }, anAction(), 20_000);

    expect(found.state).toBe('succeeded');
    expect(reads).toBe(4);
  });

  it('is over in time when the store hangs', async () => {
    const actions = { find: () => new Promise<undefined>(() => undefined) };
    const begunMs = performance.now();

    const found = await awaitEnd({ actions, clock: systemClock }, anAction(), 100);

    expect(found.state).toBe('accepted');
    expect(performance.now() - begunMs).toBeLessThan(20_000);
  });
});
