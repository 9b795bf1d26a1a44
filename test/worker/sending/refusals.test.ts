import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendErrors } from '../../../shared/message/sendError.ts';
import { judgeOutcome, refusedMessages } from '../../../worker/sending/sendOutcomes.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/sending.md'), 'utf8');

describe('the refusals of WhatsApp', () => {
  it.each(Object.entries(refusedMessages))('%s has a code, a sentence and a row in the documents', (number, code) => {
    const verdict = judgeOutcome({ outcome: 'refused', code: Number(number) }, { attempts: 1, limitedForMs: 0 });
    const row = page.split('\n').find((line) => /in the acknowledgement|^\| …/.test(line) && line.includes(number));

    expect(verdict).toEqual({ verdict: 'failed', error: { code, whatsappCode: Number(number) } });
    expect(sendErrors[code].length).toBeGreaterThan(20);
    expect(row).toContain(`\`${code}\``);
  });

  it.each([400, 421, 487, 500, 503, 599, 1])('%i has the code of all others, with its number', (number) => {
    const verdict = judgeOutcome({ outcome: 'refused', code: number }, { attempts: 1, limitedForMs: 0 });

    expect(verdict).toEqual({ verdict: 'failed', error: { code: 'refused', whatsappCode: number } });
  });
});
