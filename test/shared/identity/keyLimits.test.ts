import { describe, expect, it } from 'vitest';
import { findLimitFault, isNetwork, type KeyLimits, type LimitedRequest } from '../../../shared/identity/keyLimits.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';

const [own, other] = ['con_own' as ConnectionId, 'con_other' as ConnectionId];
const request: LimitedRequest = { scope: 'messages:write', connectionId: own, address: '203.0.113.9' };

describe('the limits of a key', () => {
  it.each<[string, KeyLimits, Partial<LimitedRequest>, ReturnType<typeof findLimitFault>]>([
    ['none', {}, { scope: undefined, connectionId: undefined, address: '' }, undefined],
    ['its scope', { scopes: ['media:read', 'messages:write'] }, {}, undefined],
    ['another scope of the same', { scopes: ['messages:read'] }, {}, 'scope'],
    ['no scope at all', { scopes: [] }, {}, 'scope'],
    ['a request that no scope opens', { scopes: ['messages:write'] }, { scope: undefined }, 'scope'],
    ['its connection', { connectionIds: [other, own] }, {}, undefined],
    ['another connection', { connectionIds: [other] }, {}, 'other_connection'],
    ['a request about no connection', { connectionIds: [own] }, { connectionId: undefined }, 'no_connection'],
    [
      'a record whose connection nobody knows yet',
      { connectionIds: [own] },
      { connectionId: undefined, isOfRecord: true },
      undefined,
    ],
    ['such a record without the scope', { scopes: [] }, { connectionId: undefined, isOfRecord: true }, 'scope'],
    ['no connection at all', { connectionIds: [] }, {}, 'other_connection'],
    ['its network', { networks: ['198.51.100.0/24', '203.0.113.0/24'] }, {}, undefined],
    ['its address', { networks: ['203.0.113.9/32'] }, {}, undefined],
    ['the address beside it', { networks: ['203.0.113.8/32'] }, {}, 'network'],
    [
      'an address of IPv4 written as one of IPv6',
      { networks: ['203.0.113.0/24'] },
      { address: '::ffff:203.0.113.9' },
      undefined,
    ],
    ['a network of IPv6', { networks: ['2001:db8::/32'] }, { address: '2001:db8:1::7' }, undefined],
    ['an address of IPv4 at a network of IPv6', { networks: ['::/0'] }, {}, 'network'],
    ['no address', { networks: ['0.0.0.0/0'] }, { address: 'unknown' }, 'network'],
    ['the network before all else', { networks: [], scopes: [], connectionIds: [] }, {}, 'network'],
    ['the scope before the connection', { scopes: [], connectionIds: [other] }, {}, 'scope'],
  ])('%s', (_name, limits, given, fault) => {
    expect(findLimitFault(limits, { ...request, ...given })).toBe(fault);
  });

  it.each([
    ['203.0.113.0/24', true],
    ['0.0.0.0/0', true],
    ['2001:db8::/32', true],
    ['203.0.113.9', false],
    ['::ffff:203.0.113.0/120', false],
    ['::ffff:0:0/96', false],
    ['::/0', true],
    ['10.1/16', false],
    ['203.0.113.0/33', false],
    ['0x7f.1/8', false],
    ['example.com/24', false],
    ['', false],
  ])('take %j as a network: %s', (text, isOne) => {
    expect(isNetwork(text)).toBe(isOne);
  });
});
