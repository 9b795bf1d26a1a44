import { linkAccounts, warmUp } from '../bench/messagesLoad.ts';
import { startProduct } from '../bench/messagesSide.ts';

/**
 * Links accounts through the API, all at once, on the embedded stack whose workers get each answer of DynamoDB late; then
 * each of them sends and receives a message, which half of a session could not.
 */
export async function pairSlowly(options: { readonly accounts: number; readonly storeMs: number }): Promise<{
  readonly lost: number;
  readonly written: number;
  /** The time from the first request to the last webhook that says `online`. */
  readonly seconds: number;
}> {
  const side = await startProduct({ counting: true, withKeys: false });
  try {
    await side.slowStores(options.storeMs);
    const { accounts, lost, seconds } = await linkAccounts(side, {
      accounts: options.accounts,
      atOnce: options.accounts,
    });
    await side.slowStores(0);
    await warmUp(side, accounts);
    return { lost, written: accounts.length, seconds };
  } finally {
    await side.stop();
  }
}
