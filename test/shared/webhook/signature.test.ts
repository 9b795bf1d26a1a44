import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../shared/kernel/secret.ts';
import { signDelivery } from '../../../shared/webhook/signature.ts';

describe('webhook signature', () => {
  it('is that of the published example of Standard Webhooks', () => {
    const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');

    const headers = signDelivery([secret], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}');

    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is always that of the key behind the prefix, over id, whole seconds and body', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.string(),
        fc.nat({ max: 4e12 }),
        (key, body, atMs) => {
          const secret = new Secret(`whsec_${Buffer.from(key).toString('base64')}`);

          const headers = signDelivery([secret], 'evt_000000000000001', atMs, body);

          const seconds = Math.floor(atMs / 1_000);
          const expected = createHmac('sha256', key).update(`evt_000000000000001.${seconds}.${body}`).digest('base64');
          expect(headers['webhook-signature']).toBe(`v1,${expected}`);
        },
      ),
    );
  });
});
