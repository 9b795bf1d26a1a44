import { describe, expect, it } from 'vitest';
import { judgeOutcome } from '../../../../worker/sending/sendOutcomes.ts';
import { Acknowledgements } from '../../../../worker/socket/sending/acknowledgements.ts';

describe('a refusal in an acknowledgement', () => {
  it.each([
    ['463', 463, { code: 'refused_restricted', whatsappCode: 463 }],
    ['400', 400, { code: 'refused', whatsappCode: 400 }],
    ['abc', 0, { code: 'refused' }],
    ['', 0, { code: 'refused' }],
    ['-1', 0, { code: 'refused' }],
    ['4.5', 0, { code: 'refused' }],
    ['1e999', 0, { code: 'refused' }],
    ['99999999999999999999', 0, { code: 'refused' }],
  ])('of number %j ends the message with a number that can be stored, or with none', async (told, number, error) => {
    const acknowledgements = new Acknowledgements(() => 0);
    const answer = acknowledgements.expect('3EB0');

    acknowledgements.arrive('3EB0', told);
    const code = await answer;
    const verdict = judgeOutcome({ outcome: 'refused', code: code ?? -1 }, { attempts: 1, limitedForMs: 0 });

    expect(code).toBe(number);
    expect(verdict).toEqual({ verdict: 'failed', error });
  });
});
