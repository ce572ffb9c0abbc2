// What the read-only wall answers: a sentence that names what may not be used.

export class WallRefusal extends Error {
  override name = 'WallRefusal';
}
