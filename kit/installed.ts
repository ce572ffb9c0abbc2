// Whether an optional package is there. The embedded stores are: a sidecar runs without them, a collector does not.

/** Throws an Error with one sentence that names the package and what to do. */
export function requireInstalled(name: string, what: string): void {
  try {
    import.meta.resolve(name);
  } catch {
    // Why it was not found says no more than that it was not.
    throw new Error(
      `${what} (npm package ${name}) is not installed here: install outrider without --omit=optional, ` +
        'or run the collector where it is and point sidecars there with --collector.',
    );
  }
}
