import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusRules } from '../../../shared/connection/status.ts';
import { closeRules, toCloseCause, type CloseCause } from '../../../worker/runner/closeRules.ts';

describe('close rules', () => {
  it.each([
    ['restart_required', 'now', 'keep', 'reconnecting', 'none', 8_000],
    ['network_lost', 'fast', 'keep', 'reconnecting', 'none', 15_000],
    ['server_unavailable', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['unknown', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['replaced', 'slow', 'keep', 'reconnecting', 'none', 30_000],
    ['pairing_expired', 'never', 'keep', 'unpaired', 'pair_again', 0],
    ['logged_out', 'never', 'retire', 'unpaired', 'pair_again', 0],
    ['device_removed', 'never', 'retire', 'unpaired', 'pair_again', 0],
    ['banned', 'never', 'retire', 'restricted', 'contact_operator', 0],
    ['temporarily_banned', 'never', 'keep', 'restricted', 'wait', 0],
    ['client_outdated', 'never', 'keep', 'failed', 'contact_operator', 0],
    ['client_refused', 'never', 'keep', 'failed', 'contact_operator', 0],
    ['multi_device_mismatch', 'never', 'keep', 'failed', 'contact_operator', 0],
  ] as const)('%s: retry %s, credentials %s, status %s, user action %s', (cause, ...expected) => {
    const rule = closeRules[cause];

    const row = [
      rule.retry,
      rule.credentials,
      rule.status,
      statusRules[rule.code].userAction,
      rule.firstDelayMs,
    ] as const;

    expect(row).toEqual(expected);
  });

  it.each<[number | undefined, CloseCause]>([
    [515, 'restart_required'],
    [408, 'network_lost'],
    [428, 'network_lost'],
    [500, 'server_unavailable'],
    [503, 'server_unavailable'],
    [440, 'replaced'],
    [401, 'logged_out'],
    [403, 'device_removed'],
    [406, 'banned'],
    [402, 'temporarily_banned'],
    [405, 'client_outdated'],
    [409, 'client_refused'],
    [411, 'multi_device_mismatch'],
    [418, 'unknown'],
    [undefined, 'unknown'],
  ])('takes code %s of a linked connection for %s', (statusCode, cause) => {
    expect(toCloseCause({ statusCode, node: undefined }, 'linked')).toBe(cause);
  });

  it('tells a spent offer from a lost network by the phase alone', () => {
    expect(toCloseCause({ statusCode: 408, node: undefined }, 'pairing')).toBe('pairing_expired');
    expect(toCloseCause({ statusCode: 408, node: undefined }, 'linked')).toBe('network_lost');
  });

  it('takes a removal that is reported as a conflict for a removal', () => {
    expect(toCloseCause({ statusCode: 440, node: 'device_removed' }, 'linked')).toBe('logged_out');
    expect(toCloseCause({ statusCode: 440, node: 'replaced' }, 'linked')).toBe('replaced');
  });

  it('never retires credentials for a code other than 401, 403 and 406', () => {
    const anyCode = fc.integer({ min: 0, max: 2_000 }).filter((code) => ![401, 403, 406].includes(code));

    fc.assert(
      fc.property(fc.option(anyCode, { nil: undefined }), fc.constantFrom('pairing', 'linked'), (statusCode, phase) => {
        expect(closeRules[toCloseCause({ statusCode, node: undefined }, phase)].credentials).toBe('keep');
      }),
    );
  });
});
