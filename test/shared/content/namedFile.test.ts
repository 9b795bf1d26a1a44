import { describe, expect, it } from 'vitest';
import { askedKinds } from '../../../shared/content/content.ts';

const image = askedKinds.find(({ type }) => type === 'image');

describe('the link of a file', () => {
  it.each([
    ['https://example.com/a.png', true],
    // The embedded stack alone follows it; the guard of addresses decides.
    ['http://127.0.0.1:9099/a.png', true],
    ['http://localhost/a.png', true],
    ['http://localhost.example.com/a.png', false],
    ['http://127.0.0.1@example.com/a.png', false],
    ['http://example.com/a.png', false],
    ['file:///etc/passwd', false],
    ['a.png', false],
    ['', false],
  ])('%s is taken: %s', (link, isTaken) => {
    expect(image?.asked.safeParse({ link }).success).toBe(isTaken);
  });
});
