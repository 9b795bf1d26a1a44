import { describe, expect, it } from 'vitest';
import { isFromElsewhere, pathOf } from '../../../infra/local/steadyServer.ts';

/** `steadyServer.prove.ts` sends requests of any kind to every process. */
describe('a request from elsewhere', () => {
  it.each([
    [{ host: '127.0.0.1:8081' }, false],
    [{ host: 'localhost:8081' }, false],
    [{ host: '[::1]:8081' }, false],
    [{ host: 'LOCALHOST' }, false],
    [{ host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' }, false],
    [{ host: '127.0.0.1:8080', origin: 'http://localhost:3000' }, false],
    [{ host: 'evil.example' }, true],
    [{ host: '127.0.0.1.evil.example' }, true],
    [{ host: 'localhost:80@evil.example' }, true],
    [{}, true],
    [{ host: '127.0.0.1', origin: 'https://evil.example' }, true],
    [{ host: '127.0.0.1', origin: 'http://127.0.0.1.evil.example' }, true],
    [{ host: '127.0.0.1', origin: 'null' }, true],
  ])('%o: %s', (headers, expected) => {
    expect(isFromElsewhere({ headers })).toBe(expected);
  });

  it.each([
    ['//', '//'],
    ['http://evil.example/ops?x=1', '/ops'],
    ['http://', '/'],
    ['*', '*'],
    ['/a?b?c', '/a'],
  ])('has the path of %s as it came: %s', (url, expected) => {
    expect(pathOf({ url })).toBe(expected);
  });
});
