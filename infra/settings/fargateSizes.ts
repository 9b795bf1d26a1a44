/** Sizes of Fargate tasks in MiB: CPU units, least memory, most memory, step. Source: ECS, "Task CPU and memory". */
const fargateSizes = [
  [256, 512, 2_048, 512],
  [512, 1_024, 4_096, 1_024],
  [1_024, 2_048, 8_192, 1_024],
  [2_048, 4_096, 16_384, 1_024],
  [4_096, 8_192, 30_720, 1_024],
  [8_192, 16_384, 61_440, 4_096],
  [16_384, 32_768, 122_880, 8_192],
] as const;

/** Whether Fargate sells that much memory, in MiB, with that many CPU units. */
export function isFargateSize(cpu: number, memoryMib: number): boolean {
  return fargateSizes.some(
    ([units, least, most, step]) =>
      cpu === units && memoryMib >= least && memoryMib <= most && (memoryMib - least) % step === 0,
  );
}
