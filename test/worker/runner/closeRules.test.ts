import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusRules } from '../../../shared/connection/status.ts';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { BreakerOpenError } from '../../../shared/platform/breaker.ts';
import { NotStoredError } from '../../../worker/facts/notStored.ts';
import { UnreadableItemError } from '../../../worker/session/sessionErrors.ts';
import { closeRules, toCloseCause, type CloseCause, type Phase } from '../../../worker/runner/closeRules.ts';
import { SymptomError, toCutCause, toSocketClose } from '../../../worker/socket/port/toSocketClose.ts';

const conflict = (type: string) => ({ tag: 'conflict', attrs: { type } });
const streamError = (code: string | undefined) => ({ tag: 'stream:error', attrs: code === undefined ? {} : { code } });

const failed = (code: string, syscall?: string): Error => Object.assign(new Error('any text'), { code, syscall });

describe('close rules', () => {
  it.each([
    ['restart_required', 'now', 'keep', 'reconnecting', 'none', 8_000],
    ['network_lost', 'fast', 'keep', 'reconnecting', 'none', 15_000],
    ['server_unavailable', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['stream_fault', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['store_failed', 'fast', 'keep', 'reconnecting', 'wait', 8_000],
    ['whatsapp_unreachable', 'fast', 'keep', 'reconnecting', 'wait', 8_000],
    ['whatsapp_unreachable_host', 'fast', 'keep', 'reconnecting', 'wait', 8_000],
    ['whatsapp_unreachable_refused', 'fast', 'keep', 'reconnecting', 'wait', 8_000],
    ['whatsapp_unreachable_timeout', 'fast', 'keep', 'reconnecting', 'wait', 8_000],
    ['whatsapp_unreachable_tls', 'fast', 'keep', 'reconnecting', 'wait', 8_000],
    ['unknown', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['never_success', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['silent_server', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['deaf', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['sends_stuck', 'fast', 'keep', 'reconnecting', 'none', 8_000],
    ['replaced', 'slow', 'keep', 'reconnecting', 'none', 30_000],
    ['pairing_expired', 'never', 'keep', 'unpaired', 'pair_again', 0],
    ['pairing_refused', 'never', 'keep', 'unpaired', 'pair_again', 0],
    ['code_refused', 'never', 'keep', 'unpaired', 'pair_again', 0],
    ['logged_out', 'never', 'retire', 'unpaired', 'pair_again', 0],
    ['device_removed', 'never', 'retire', 'unpaired', 'pair_again', 0],
    ['banned', 'never', 'retire', 'restricted', 'contact_operator', 0],
    ['temporarily_banned', 'after_end', 'keep', 'restricted', 'wait', 0],
    ['client_outdated', 'fast', 'keep', 'reconnecting', 'contact_operator', 8_000],
    ['version_refused', 'held', 'keep', 'failed', 'contact_operator', 0],
    ['client_refused', 'never', 'keep', 'failed', 'contact_operator', 0],
    ['multi_device_mismatch', 'never', 'keep', 'failed', 'contact_operator', 0],
  ] satisfies [CloseCause, ...unknown[]][])(
    '%s: retry %s, credentials %s, status %s, user action %s',
    (cause, ...expected) => {
      const rule = closeRules[cause];

      const row = [
        rule.retry,
        rule.credentials,
        rule.status,
        statusRules[rule.code].userAction,
        rule.firstDelayMs,
      ] as const;

      expect(row).toEqual(expected);
    },
  );

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
    // A refusal of one message; as a close it says nothing that we know.
    [463, 'unknown'],
    [undefined, 'unknown'],
  ])('takes code %s of a linked connection for %s', (statusCode, cause) => {
    expect(toCloseCause({ statusCode, node: undefined }, 'linked')).toBe(cause);
  });

  it.each<[number, Phase, CloseCause]>([
    [408, 'linked', 'network_lost'],
    [408, 'registering', 'network_lost'],
    [408, 'offered', 'pairing_expired'],
    [428, 'offered', 'network_lost'],
    [401, 'offered', 'pairing_refused'],
    [402, 'registering', 'pairing_refused'],
    [403, 'registering', 'pairing_refused'],
    [406, 'offered', 'pairing_refused'],
    [405, 'registering', 'client_outdated'],
    [440, 'offered', 'unknown'],
    [515, 'offered', 'restart_required'],
  ])('takes code %s in the phase %s for %s', (statusCode, phase, cause) => {
    expect(toCloseCause({ statusCode, node: undefined }, phase)).toBe(cause);
  });

  it('asks who owns the connection before it acts on a conflict, and on nothing else', () => {
    const asking = Object.entries(closeRules).filter(([, { ownership }]) => ownership === 'read_first');

    expect(asking.map(([cause]) => cause)).toEqual(['replaced']);
  });

  // What Baileys throws: `output.statusCode`, and in `data` the node, its attributes, or the fault of the WebSocket.
  it.each<[string, { statusCode: number; data?: unknown }, CloseCause]>([
    ['a conflict with code', { statusCode: 401, data: conflict('device_removed') }, 'logged_out'],
    [
      'a conflict of a removed device without code',
      { statusCode: 440, data: conflict('device_removed') },
      'logged_out',
    ],
    ['a conflict of a replaced socket', { statusCode: 440, data: conflict('replaced') }, 'replaced'],
    ['a replaced socket under another code', { statusCode: 401, data: conflict('replaced') }, 'replaced'],
    ['a conflict that does not say which', { statusCode: 440, data: { tag: 'conflict', attrs: {} } }, 'replaced'],
    ['nonsense on the wire', { statusCode: 500, data: { tag: 'xml-not-well-formed', attrs: {} } }, 'stream_fault'],
    ['a missing ack', { statusCode: 500, data: { tag: 'ack', attrs: { id: '1' } } }, 'stream_fault'],
    ['a stream error of 500', { statusCode: 500, data: streamError('500') }, 'server_unavailable'],
    ['a stream error of 515', { statusCode: 515, data: streamError('515') }, 'restart_required'],
    ['a stream error with nothing in it', { statusCode: 500, data: streamError(undefined) }, 'unknown'],
    ['a refused login', { statusCode: 403, data: { reason: '403', location: 'sim' } }, 'device_removed'],
    [
      'a proxy that answers 403',
      { statusCode: 403, data: new Error('Unexpected server response: 403') },
      'network_lost',
    ],
    [
      'a proxy that answers 401',
      { statusCode: 401, data: new Error('Unexpected server response: 401') },
      'network_lost',
    ],
    [
      'a name that is not found',
      { statusCode: 408, data: failed('ENOTFOUND', 'getaddrinfo') },
      'whatsapp_unreachable_host',
    ],
    ['a resolver that does not answer', { statusCode: 408, data: failed('EAI_AGAIN') }, 'whatsapp_unreachable_host'],
    ['a dial that is refused', { statusCode: 408, data: failed('ECONNREFUSED') }, 'whatsapp_unreachable_refused'],
    [
      'a dial that takes too long',
      { statusCode: 408, data: failed('ETIMEDOUT', 'connect') },
      'whatsapp_unreachable_timeout',
    ],
    ['no route', { statusCode: 408, data: failed('EHOSTUNREACH', 'connect') }, 'whatsapp_unreachable'],
    ['a route that went away', { statusCode: 408, data: failed('EHOSTUNREACH', 'read') }, 'network_lost'],
    ['a connection that fell silent', { statusCode: 408, data: failed('ETIMEDOUT', 'read') }, 'network_lost'],
    ['a connection that was cut', { statusCode: 408, data: failed('ECONNRESET', 'read') }, 'network_lost'],
    ['a handshake without an end', { statusCode: 408, data: new Error('any text') }, 'whatsapp_unreachable_timeout'],
    ['a foreign certificate', { statusCode: 500, data: failed('CERT_HAS_EXPIRED') }, 'whatsapp_unreachable_tls'],
    ['a WebSocket that broke', { statusCode: 500, data: new Error('Invalid frame') }, 'network_lost'],
    ['a lost keep-alive', { statusCode: 408 }, 'network_lost'],
  ])('takes %s for %j: %s', (_what, { statusCode, data }, cause) => {
    const error = Object.assign(new Error('any text'), { output: { statusCode }, data });

    expect(toCloseCause(toSocketClose(error), 'linked')).toBe(cause);
  });

  it.each<[string, unknown]>([
    ['facts that the queue did not take', new NotStoredError('no', { cause: new Error('down') })],
    ['a store that does not answer', new TimeoutError('session write', 5_000)],
    ['a store that is left alone', new BreakerOpenError('dynamodb', 1_000)],
    ['an item that cannot be read', new UnreadableItemError('SIGNAL#1')],
    [
      'a refusal by the store, deep inside',
      new Error('a', { cause: Object.assign(new Error('b'), { $metadata: {} }) }),
    ],
  ])('says that we could not write, and not that WhatsApp closed, after %s', (_what, error) => {
    for (const phase of ['linked', 'registering', 'offered'] as const) {
      expect(toCloseCause(toSocketClose(toCutCause(error)), phase)).toBe('store_failed');
    }
  });

  it('does not take the blame for what is not ours', () => {
    expect(toCloseCause(toSocketClose(toCutCause(new Error('Connection Closed'))), 'linked')).toBe('unknown');
    expect(toCloseCause(toSocketClose(toCutCause(new SymptomError('deaf', 'late'))), 'linked')).toBe('deaf');
  });

  it.each(['never_success', 'silent_server', 'deaf', 'sends_stuck'] as const)(
    'takes a socket that was ended for the symptom %s for what it was, in each phase',
    (symptom) => {
      const close = toSocketClose(new SymptomError(symptom, 'any text'));

      const causes = (['linked', 'registering', 'offered'] as const).map((phase) => toCloseCause(close, phase));

      expect(close).toEqual({ statusCode: undefined, node: symptom });
      expect(causes).toEqual([symptom, symptom, symptom]);
    },
  );

  it('ends a pairing whose code was refused, whatever the number', () => {
    const refused = (statusCode: number) =>
      toCloseCause({ statusCode, node: 'link_code_companion_reg' }, 'registering');

    expect([refused(400), refused(401), refused(429), refused(500)]).toEqual(Array(4).fill('code_refused'));
  });

  it('takes the word of the breaker for what it is, whatever the number', () => {
    const held = (phase: Phase) => toCloseCause({ statusCode: 405, node: 'version_refused' }, phase);

    expect([held('linked'), held('registering'), held('offered')]).toEqual(Array(3).fill('version_refused'));
  });

  it.each<[unknown, number | undefined]>([
    ['86400', 86_400_000],
    ['1', 1_000],
    [undefined, undefined],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['1e3', undefined],
    [60, undefined],
    ['99999999999', undefined],
    [String(367 * 86_400), undefined],
  ])('reads an end of a ban in %j seconds as %s ms', (expire, endsInMs) => {
    const error = Object.assign(new Error('any text'), {
      output: { statusCode: 402 },
      data: { reason: '402', expire },
    });

    expect(toSocketClose(error).endsInMs).toBe(endsInMs);
  });

  it('never retires credentials for a code other than 401, 403 and 406', () => {
    const anyCode = fc.integer({ min: 0, max: 2_000 }).filter((code) => ![401, 403, 406].includes(code));

    const anyNode = fc.option(fc.constantFrom('replaced', 'websocket', 'version_refused', 'ack', 'anything'), {
      nil: undefined,
    });
    const anyPhase = fc.constantFrom<Phase>('linked', 'registering', 'offered');

    fc.assert(
      fc.property(fc.option(anyCode, { nil: undefined }), anyNode, anyPhase, (statusCode, node, phase) => {
        expect(closeRules[toCloseCause({ statusCode, node }, phase)].credentials).toBe('keep');
      }),
    );
  });

  it('never retires credentials while no account is linked, or for what is not the word of WhatsApp', () => {
    const anyCode = fc.integer({ min: 0, max: 2_000 });

    fc.assert(
      fc.property(anyCode, fc.constantFrom<Phase>('registering', 'offered'), (statusCode, phase) => {
        expect(closeRules[toCloseCause({ statusCode, node: undefined }, phase)].credentials).toBe('keep');
        expect(closeRules[toCloseCause({ statusCode, node: 'websocket' }, 'linked')].credentials).toBe('keep');
      }),
    );
  });
});
