import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { AddressGuard, isPublic, type ResolvedAddress } from '../../../shared/platform/addressGuard.ts';

/** A guard whose resolver knows these names; each look-up takes the next answer of the name, and the last one stays. */
function aGuard(
  names: Readonly<Record<string, readonly (readonly string[])[]>> = {},
  allowLoopback = false,
  clock: Pick<Clock, 'monotonicMs'> = systemClock,
) {
  const asked: string[] = [];
  const resolve = (hostname: string): Promise<readonly ResolvedAddress[]> => {
    const answers = names[hostname] ?? [];
    const answer = answers[Math.min(asked.filter((name) => name === hostname).length, answers.length - 1)];
    asked.push(hostname);
    if (answer === undefined) return Promise.reject(Object.assign(new Error('unknown name'), { code: 'ENOTFOUND' }));
    return Promise.resolve(answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  };
  return { guard: new AddressGuard({ resolve, allowLoopback, clock }), asked };
}

function lookUp(guard: AddressGuard, hostname: string, all: boolean): Promise<string | LookupAddress[]> {
  return new Promise((resolve, reject) => {
    guard.lookup(hostname, { all }, (error, address) => {
      if (error === null) resolve(address);
      else reject(error);
    });
  });
}

describe('address guard', () => {
  it.each([
    { what: 'a public IPv4 address', address: '93.184.216.34', allowed: true },
    { what: 'a public IPv6 address', address: '2606:2800:220:1::1', allowed: true },
    { what: 'this network', address: '0.0.0.0', allowed: false },
    { what: 'loopback', address: '127.0.0.1', allowed: false },
    { what: 'all of loopback', address: '127.255.3.4', allowed: false },
    { what: 'a private network (10/8)', address: '10.1.2.3', allowed: false },
    { what: 'a private network (172.16/12)', address: '172.31.255.255', allowed: false },
    { what: 'a private network (192.168/16)', address: '192.168.0.1', allowed: false },
    { what: 'the metadata service', address: '169.254.169.254', allowed: false },
    { what: 'the credentials of a container', address: '169.254.170.2', allowed: false },
    { what: 'carrier-grade NAT', address: '100.64.0.1', allowed: false },
    { what: 'benchmarking', address: '198.18.0.1', allowed: false },
    { what: 'documentation', address: '203.0.113.5', allowed: false },
    { what: 'multicast', address: '224.0.0.1', allowed: false },
    { what: 'broadcast', address: '255.255.255.255', allowed: false },
    { what: 'reserved', address: '240.0.0.1', allowed: false },
    { what: 'IPv6 unspecified', address: '::', allowed: false },
    { what: 'IPv6 loopback', address: '::1', allowed: false },
    { what: 'IPv6 link-local', address: 'fe80::1', allowed: false },
    { what: 'IPv6 unique local, the metadata service', address: 'fd00:ec2::254', allowed: false },
    { what: 'IPv6 site-local', address: 'fec0::1', allowed: false },
    { what: 'IPv6 multicast', address: 'ff02::1', allowed: false },
    { what: 'IPv6 documentation', address: '2001:db8::1', allowed: false },
    { what: 'IPv4-mapped loopback', address: '::ffff:127.0.0.1', allowed: false },
    { what: 'IPv4-mapped private in hex', address: '::ffff:a00:1', allowed: false },
    { what: 'IPv4-mapped public', address: '::ffff:93.184.216.34', allowed: true },
    { what: 'IPv4-compatible loopback', address: '::127.0.0.1', allowed: false },
    { what: 'IPv4-translated', address: '::ffff:0:127.0.0.1', allowed: false },
    { what: 'NAT64 to a private address', address: '64:ff9b::a00:1', allowed: false },
    { what: 'NAT64 to the metadata service', address: '64:ff9b::a9fe:a9fe', allowed: false },
    { what: 'NAT64 to a public address', address: '64:ff9b::5db8:d822', allowed: true },
    { what: 'local NAT64', address: '64:ff9b:1::5db8:d822', allowed: false },
    { what: '6to4 of a private address', address: '2002:a00:1::1', allowed: false },
    { what: '6to4 of a public address', address: '2002:5db8:d822::1', allowed: false },
    { what: 'Teredo', address: '2001:0:5db8:d822::1', allowed: false },
    { what: 'what is not given out', address: '4000::1', allowed: false },
    { what: 'no address', address: 'example.com', allowed: false },
  ])('takes $what ($address) for public: $allowed', ({ address, allowed }) => {
    expect(isPublic(address)).toBe(allowed);
  });

  it.each([
    { url: 'https://hooks.example/path?x=1', refusal: undefined },
    { url: 'https://hooks.example:8443/', refusal: undefined },
    { url: 'https://93.184.216.34/', refusal: undefined },
    { url: 'https://both.example/', refusal: 'not_public' },
    { url: 'https://inside.example/', refusal: 'not_public' },
    { url: 'https://nobody.example/', refusal: 'does_not_resolve' },
    { url: 'https://empty.example/', refusal: 'does_not_resolve' },
    { url: 'http://hooks.example/', refusal: 'not_https' },
    { url: 'ftp://hooks.example/', refusal: 'not_https' },
    { url: 'file:///etc/passwd', refusal: 'not_https' },
    { url: 'hooks.example', refusal: 'not_a_url' },
    { url: 'https://', refusal: 'not_a_url' },
    { url: 'https://user:pass@hooks.example/', refusal: 'has_credentials' },
    { url: 'https://user@hooks.example/', refusal: 'has_credentials' },
    { url: 'https://127.0.0.1/', refusal: 'not_public' },
    { url: 'https://2130706433/', refusal: 'not_public' },
    { url: 'https://0x7f.1/', refusal: 'not_public' },
    { url: 'https://0177.0.0.1/', refusal: 'not_public' },
    { url: 'https://[::1]/', refusal: 'not_public' },
    { url: 'https://[::ffff:10.0.0.1]/', refusal: 'not_public' },
    { url: 'https://localhost/', refusal: 'not_public' },
    { url: 'http://127.0.0.1:3000/', refusal: 'not_https' },
  ])('judges $url: $refusal', async ({ url, refusal }) => {
    const { guard } = aGuard({
      'hooks.example': [['93.184.216.34', '2606:2800:220:1::1']],
      'both.example': [['93.184.216.34', '10.0.0.1']],
      'inside.example': [['10.0.0.1']],
      'empty.example': [[]],
      localhost: [['127.0.0.1', '::1']],
    });

    expect(await guard.refusalOf(url)).toBe(refusal);
  });

  it.each([
    { url: 'http://127.0.0.1:3000/hook', refusal: undefined },
    { url: 'http://localhost:3000/hook', refusal: undefined },
    { url: 'https://localhost/hook', refusal: undefined },
    { url: 'http://127.0.0.2/', refusal: 'not_https' },
    { url: 'https://127.0.0.2/', refusal: 'not_public' },
    { url: 'https://10.0.0.1/', refusal: 'not_public' },
    { url: 'https://[::1]/', refusal: 'not_public' },
    { url: 'https://alias.example/', refusal: 'not_public' },
    { url: 'http://hooks.example/', refusal: 'not_https' },
  ])('judges $url on the embedded stack: $refusal', async ({ url, refusal }) => {
    const names = {
      localhost: [['127.0.0.1', '::1']],
      'alias.example': [['127.0.0.1']],
      'hooks.example': [['1.1.1.1']],
    };
    const { guard } = aGuard(names, true);

    expect(await guard.refusalOf(url)).toBe(refusal);
  });

  it('does not take an inside address for localhost, whatever the resolver says', async () => {
    const { guard } = aGuard({ localhost: [['10.0.0.1']] }, true);

    expect(await guard.refusalOf('http://localhost/')).toBe('not_public');
  });

  it('judges the very answer that is dialled', async () => {
    const { guard, asked } = aGuard({ 'rebind.example': [['93.184.216.34'], ['169.254.169.254']] });

    const stored = await guard.refusalOf('https://rebind.example/');
    const dialled = lookUp(guard, 'rebind.example', true);

    expect(stored).toBeUndefined();
    await expect(dialled).rejects.toMatchObject({ name: 'AddressRefusedError', refusal: 'not_public' });
    expect(asked).toEqual(['rebind.example', 'rebind.example']);
  });

  it('answers in both forms in which a connection asks', async () => {
    const { guard } = aGuard({ 'hooks.example': [['93.184.216.34', '93.184.216.35']] });

    expect(await lookUp(guard, 'hooks.example', false)).toBe('93.184.216.34');
    expect(await lookUp(guard, 'hooks.example', true)).toEqual([
      { address: '93.184.216.34', family: 4 },
      { address: '93.184.216.35', family: 4 },
    ]);
  });

  it('looks a host up once for the connections of half a minute, and judges the next answer as well', async () => {
    let monotonicMs = 0;
    const { guard, asked } = aGuard({ 'hooks.example': [['93.184.216.34'], ['10.0.0.1']] }, false, {
      monotonicMs: () => monotonicMs,
    });

    const first = await lookUp(guard, 'hooks.example', false);
    monotonicMs += 29_999;
    const second = await lookUp(guard, 'hooks.example', false);
    monotonicMs += 1;
    const third = lookUp(guard, 'hooks.example', false);

    expect([first, second]).toEqual(['93.184.216.34', '93.184.216.34']);
    await expect(third).rejects.toMatchObject({ refusal: 'not_public' });
    expect(asked).toHaveLength(2);
  });

  it('looks a host up anew when a connection to it has failed, and keeps no refusal', async () => {
    const { guard } = aGuard({ 'hooks.example': [['93.184.216.34'], ['10.0.0.1'], ['93.184.216.35']] });
    await lookUp(guard, 'hooks.example', false);

    guard.unpin('hooks.example');

    await expect(lookUp(guard, 'hooks.example', false)).rejects.toMatchObject({ refusal: 'not_public' });
    expect(await lookUp(guard, 'hooks.example', false)).toBe('93.184.216.35');
  });
});
