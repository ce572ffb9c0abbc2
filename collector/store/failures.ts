// How the store fails, as its callers must tell apart: try again, or put the segment aside.

/** The store process or server is away or overloaded. The same call may succeed later; nothing was half done. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

/** The segment's own bytes cannot be loaded, now or ever. `code` is ClickHouse's exception number. */
export class SegmentRejected extends Error {
  override name = 'SegmentRejected';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The store takes nothing from us until somebody puts it right: who we are, what we may do, what it should know. */
export class StoreRefuses extends Error {
  override name = 'StoreRefuses';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A query failed for a reason of its own: a mistake in it, or its limits. */
export class QueryFailed extends Error {
  override name = 'QueryFailed';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Exception numbers that say the bytes, not the moment, are at fault. */
const DATA_FAULTS = new Set([
  6, // CANNOT_PARSE_TEXT
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  69, // ARGUMENT_OUT_OF_BOUND
  117, // INCORRECT_DATA
  131, // TOO_LARGE_STRING_SIZE
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  444, // UNKNOWN_PROTOBUF_FORMAT
  628, // DATA_TYPE_INCOMPATIBLE_WITH_PROTOBUF_FIELD
]);

export const isDataFault = (code: number): boolean => DATA_FAULTS.has(code);

/** Exception numbers that trying again does not change. */
const STANDING_FAULTS = new Set([
  16, // NO_SUCH_COLUMN_IN_TABLE
  47, // UNKNOWN_IDENTIFIER
  60, // UNKNOWN_TABLE
  81, // UNKNOWN_DATABASE
  115, // UNKNOWN_SETTING
  164, // READONLY
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  291, // DATABASE_ACCESS_DENIED
  392, // QUERY_IS_PROHIBITED
  452, // SETTING_CONSTRAINT_VIOLATION
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
  701, // CLUSTER_DOESNT_EXIST
]);

export const isStandingFault = (code: number): boolean => STANDING_FAULTS.has(code);
