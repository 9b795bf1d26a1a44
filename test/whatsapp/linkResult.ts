/** What came of a phone that has read an offer. `asked`: the account has a passkey, for which the client is asked first. */
export type LinkResult = { readonly device: number } | { readonly refused: string } | { readonly asked: 'passkey' };
