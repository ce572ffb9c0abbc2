// One line for each thing tried: what came back, or the name and message of what was thrown.

export async function saying(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    console.log(`${what}: ${String(await work())}`);
  } catch (failure) {
    if (!(failure instanceof Error)) throw failure;
    console.log(`${what}: ${failure.constructor.name}: ${failure.message}`);
  }
}
