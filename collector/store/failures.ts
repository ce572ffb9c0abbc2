// How the store fails, as its callers must tell apart: try again, or put the segment aside.

/** The store process or server is away or overloaded. The same call may succeed later; nothing was half done. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

/**
 * The segment's own bytes cannot be loaded, now or ever. `code` is ClickHouse's exception number. Unless `partly`, nothing
 * of it is in the table that refused it; else it may only come again under the same id, for the rest of it.
 */
export class SegmentRejected extends Error {
  override name = 'SegmentRejected';
  readonly code: number;
  readonly partly: boolean;

  constructor(code: number, message: string, partly = false) {
    super(message);
    this.code = code;
    this.partly = partly;
  }
}

/** The bytes or the moment may be at fault: too much memory, too long, an error inside the engine. Else as SegmentRejected. */
export class SegmentInDoubt extends SegmentRejected {
  override name = 'SegmentInDoubt';
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
  36, // BAD_ARGUMENTS: a value with two arms
  69, // ARGUMENT_OUT_OF_BOUND
  117, // INCORRECT_DATA
  128, // TOO_LARGE_ARRAY_SIZE
  131, // TOO_LARGE_STRING_SIZE
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  436, // PROTOBUF_BAD_CAST
  444, // UNKNOWN_PROTOBUF_FORMAT
  628, // DATA_TYPE_INCOMPATIBLE_WITH_PROTOBUF_FIELD
]);

export const isDataFault = (code: number): boolean => DATA_FAULTS.has(code);

/** Exception numbers that may say either. */
const DOUBTS = new Set([
  49, // LOGICAL_ERROR
  74, // CANNOT_READ_FROM_FILE_DESCRIPTOR
  158, // TOO_MANY_ROWS
  159, // TIMEOUT_EXCEEDED
  173, // CANNOT_ALLOCATE_MEMORY
  241, // MEMORY_LIMIT_EXCEEDED
  307, // TOO_MANY_BYTES
  1001, // STD_EXCEPTION
]);

/** What all queries take together is no fault of one. */
const OTHERS_MEMORY = /\(total\)|\(for user\)|(^|: )(Total|User) memory/i;

export const isDoubt = (code: number, message: string): boolean =>
  DOUBTS.has(code) && !(code === 241 && OTHERS_MEMORY.test(message));

const CANNOT_PARSE_PROTOBUF_SCHEMA = 434;

/** The schema is not the one the statement names. */
export const isCutSchema = (code: number, message: string): boolean =>
  code === CANNOT_PARSE_PROTOBUF_SCHEMA ||
  /^Could not find a message named .* in the schema file/.test(message);

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
