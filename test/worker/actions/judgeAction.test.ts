import { describe, expect, it } from 'vitest';
import type { Action } from '../../../shared/action/action.ts';
import type { ActionOutcome } from '../../../worker/socket/port/actionOutcome.ts';
import {
  decideOpen,
  judgeAction,
  MOST_LIMITED,
  MOST_TRIES,
  MOST_UNANSWERED,
} from '../../../worker/actions/judgeAction.ts';

const said = (verdict: ReturnType<typeof judgeAction>): string => {
  if (verdict.verdict === 'again')
    return [
      `again${verdict.rests ? ', later' : ''}`,
      ...(verdict.limitedBy === undefined ? [] : [verdict.limitedBy]),
      ...(verdict.progress === undefined ? [] : [`${verdict.progress.done} of ${verdict.progress.total}`]),
    ].join(' ');
  return verdict.ended.state === 'succeeded' ? 'succeeded' : `${verdict.ended.state}/${verdict.ended.error.code}`;
};

describe('what an outcome means', () => {
  it.each<[ActionOutcome, number, string, string]>([
    [{ outcome: 'succeeded', result: {} }, 1, 'succeeded', 'succeeded'],
    [{ outcome: 'refused', error: { code: 'refused', whatsappCode: 403 } }, 1, 'failed/refused', 'failed/refused'],
    [{ outcome: 'limited', whatsappCode: 429 }, 1, 'again, later 429', 'again, later 429'],
    [{ outcome: 'limited', whatsappCode: 429 }, MOST_LIMITED, 'failed/limited', 'failed/limited'],
    [{ outcome: 'unanswered' }, 1, 'again, later', 'failed/outcome_unknown'],
    [{ outcome: 'unanswered', whatsappCode: 503 }, 1, 'again, later', 'failed/outcome_unknown'],
    [{ outcome: 'unanswered' }, MOST_UNANSWERED, 'failed/unanswered', 'failed/outcome_unknown'],
    [{ outcome: 'unanswered', nothingLeft: true }, 1, 'again, later', 'again, later'],
    [{ outcome: 'unanswered', nothingLeft: true }, MOST_UNANSWERED, 'failed/unanswered', 'failed/unanswered'],
    [{ outcome: 'not_asked' }, 99, 'again', 'again'],
    [{ outcome: 'partly', progress: { done: 1, total: 2 } }, 99, 'again 1 of 2', 'again 1 of 2'],
    [{ outcome: 'other_account' }, 1, 'failed/connection_not_paired', 'failed/connection_not_paired'],
  ])('%j at try %i: repeatable %s, once %s', (outcome, attempts, repeatable, once) => {
    expect(said(judgeAction(outcome, { effect: 'repeatable', attempts }))).toBe(repeatable);
    expect(said(judgeAction(outcome, { effect: 'once', attempts }))).toBe(once);
  });
});

describe('what is done about an open action', () => {
  const action = (overrides: Partial<Action>): Action =>
    ({ state: 'accepted', attempts: 0, expiresAtMs: 100, kind: 'chat_typing', ...overrides }) as Action;
  const shown = (decided: ReturnType<typeof decideOpen>): string => {
    if (decided.decision === 'end')
      return decided.ended.state === 'succeeded' ? '?' : `end ${decided.ended.error.code}`;
    return decided.decision === 'ask' && decided.isTakenUp ? 'ask (taken up)' : decided.decision;
  };

  it.each<[string, Action | undefined, number, boolean, string, string]>([
    ['no row', undefined, 50, true, 'forget', 'forget'],
    ['ended', action({ state: 'failed' }), 50, true, 'tell', 'tell'],
    ['accepted, online', action({}), 50, true, 'ask', 'ask'],
    ['accepted, offline', action({}), 50, false, 'wait', 'wait'],
    ['accepted, at its end', action({}), 100, true, 'end expired', 'end expired'],
    ['accepted, limited, at its end', action({ limitedBy: 429 }), 100, true, 'end limited', 'end limited'],
    [
      'come a part of the way, at its end',
      action({ progress: { done: 1, total: 2 } }),
      100,
      true,
      'end outcome_unknown',
      'end outcome_unknown',
    ],
    ['begun, online', action({ state: 'running' }), 50, true, 'ask (taken up)', 'end outcome_unknown'],
    ['begun, offline', action({ state: 'running' }), 50, false, 'wait', 'end outcome_unknown'],
    [
      'begun, at its end',
      action({ state: 'running', attempts: 1 }),
      100,
      false,
      'end outcome_unknown',
      'end outcome_unknown',
    ],
    ['tried before, at its end', action({ attempts: 1 }), 100, true, 'end outcome_unknown', 'end outcome_unknown'],
    [
      'taken up again and again',
      action({ state: 'running', attempts: MOST_TRIES }),
      50,
      true,
      'end internal_error',
      'end outcome_unknown',
    ],
  ])('%s', (_name, found, nowMs, canAsk, repeatable, once) => {
    expect(shown(decideOpen(found, 'repeatable', { nowMs, canAsk }))).toBe(repeatable);
    expect(shown(decideOpen(found, 'once', { nowMs, canAsk }))).toBe(once);
  });
});
