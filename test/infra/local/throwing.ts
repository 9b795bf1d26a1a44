/** A program that fails, for what its stack says. */
interface Failing {
  readonly sentence: string;
}

function fail({ sentence }: Failing): never {
  throw new Error(sentence);
}

fail({ sentence: 'as it should' });
