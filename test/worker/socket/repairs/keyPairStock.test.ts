import { Curve } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { publicHalfOf } from '../../../../worker/session/keyPairs.ts';
import { KeyPairStock } from '../../../../worker/socket/repairs/keyPairStock.ts';
import { until } from '../../../whatsapp/until.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the stock of key pairs', () => {
  it('gives each pair once, made ahead or on the spot, and each agrees with the library as its own do', async () => {
    const stock = new KeyPairStock();
    stock.order(50);
    await until(
      'the pairs that were ordered',
      () => stock.ready,
      (ready) => ready === 50,
    );

    const pairs = Array.from({ length: 60 }, () => stock.take());

    const other = Curve.generateKeyPair();
    const agreements = pairs.map((pair) => [
      hex(Curve.sharedKey(pair.private, other.public)),
      hex(Curve.sharedKey(other.private, pair.public)),
    ]);
    expect(new Set(pairs.map((pair) => hex(pair.private))).size).toBe(60);
    expect(agreements.filter(([one, two]) => one !== two)).toEqual([]);
    expect(pairs.every((pair) => pair.private.length === 32 && pair.public.length === 32)).toBe(true);
    // A copy of the bytes is not known, so that this half is found anew.
    const derived = pairs.map((pair) => hex(publicHalfOf(Buffer.from(pair.private))));
    expect(derived).toEqual(pairs.map((pair) => hex(pair.public)));
  });

  it('makes them beside the event loop: another waits for none of them to be made', async () => {
    const stock = new KeyPairStock();

    stock.order(812);
    const readyAtOnce = stock.ready;
    const taken = stock.take();
    await until(
      'the pairs that were ordered',
      () => stock.ready,
      // The one that was taken on the spot is not made again.
      (ready) => ready === 811,
    );

    expect(readyAtOnce).toBe(0);
    expect(taken.public).toHaveLength(32);
  });

  it('keeps no more than it may, however much is ordered', async () => {
    const stock = new KeyPairStock(100);
    for (let orders = 0; orders < 10; orders += 1) stock.order(80);
    await until(
      'as many pairs as may be kept',
      () => stock.ready,
      (ready) => ready >= 100,
    );
    stock.order(80);

    expect(stock.ready).toBe(100);
  });
});
