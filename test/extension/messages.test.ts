import { describe, expect, it } from 'vitest';
import { endings, failed, readOptions, readOutcome } from '../../extension/messages.ts';

const RP_ID = 'whatsapp.com';

describe('what the parts of the extension tell each other', () => {
  it.each<readonly [what: string, value: unknown, code: string]>([
    ['a text', 'options', 'unsupported'],
    ['a list', [], 'unsupported'],
    ['nothing', null, 'unsupported'],
    ['a request that is too long', { challenge: 'A'.repeat(4_096) }, 'unsupported'],
    ['a request for another site', { challenge: 'AAAA', rpId: 'bank.example' }, 'wrong_site'],
    ['a request for a part of the site', { challenge: 'AAAA', rpId: 'web.whatsapp.com' }, 'wrong_site'],
    ['a request for no text', { challenge: 'AAAA', rpId: null }, 'wrong_site'],
  ])('is no request: %s', (_what, value, code) => {
    expect(readOptions(value, RP_ID)).toBe(code);
  });

  it.each([
    { challenge: 'AAAA', rpId: RP_ID },
    { challenge: 'AAAA' },
    { challenge: 'AAAA', extensions: { prf: { eval: { first: 'AAAA' } } } },
  ])('is a request, of which only what a linking needs is used: %o', (options) => {
    expect(readOptions(options, RP_ID)).toEqual({ challenge: 'AAAA', rpId: RP_ID });
  });

  it('is an outcome with a sentence for each ending', () => {
    for (const code of Object.keys(endings) as (keyof typeof endings)[]) {
      expect(readOutcome({ type: 'passkey.failed', code, message: 'of a page' })).toEqual(failed(code));
    }
  });

  it.each([
    undefined,
    'passkey.signed',
    { type: 'passkey.signed' },
    { type: 'passkey.signed', assertion: null },
    { type: 'passkey.failed', code: '__proto__' },
    { type: 'other' },
  ])('is no outcome: %o', (value) => {
    expect(readOutcome(value)).toBeUndefined();
  });
});
