export interface PublicPreKey {
  readonly id: number;
  readonly value: Uint8Array;
}

export interface SignedPublicPreKey extends PublicPreKey {
  readonly signature: Uint8Array;
}
