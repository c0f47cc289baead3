// What can go wrong: one class, whose `code` decides which additional fields it has.

/** A problem of a request, in `fields.violations` of a `VALIDATION_ERROR`. */
export interface Violation {
  path: string;
  code: string;
  message: string;
}

type None = Record<never, never>;
interface SomeLeads {
  /** The first 100 of them. */
  leadIds: string[];
  leadCount: number;
}

/** The additional fields of each code. The last two codes are the client's own. */
export interface ErrorFields {
  VALIDATION_ERROR: { violations: Violation[] };
  UNAUTHORIZED: None;
  FORBIDDEN: None;
  NOT_FOUND: None;
  METHOD_NOT_ALLOWED: None;
  REQUEST_TIMEOUT: None;
  AUDIENCE_NOT_READY: { audienceId: string; jobId: string };
  IDEMPOTENCY_CONFLICT: None;
  SELECTION_CHANGED: { count: number };
  BODY_TOO_LARGE: None;
  UNSUPPORTED_MEDIA_TYPE: None;
  SAME_AUDIENCE: None;
  SAME_PROSPECT: None;
  LEADS_NOT_IN_SOURCE: SomeLeads;
  CHANGED_SINCE: SomeLeads;
  ALREADY_UNDONE: { undoneByChangeId: string };
  NOT_UNDOABLE: None;
  EVENTS_GONE: None;
  AUDIENCE_TYPE_RESERVED: None;
  FOLDER_TYPE_MISMATCH: None;
  IDENTITY_CONFLICT: { leadId: string };
  INVALID_PROSPECT: { reason: string };
  UNREADABLE_FILE: None;
  UNKNOWN_COLUMN: None;
  NOBODY_IDENTIFIED: { columns: { name: string; field: string }[] };
  SOURCE_NOT_CONFIGURED: None;
  SECRET_KEY_MISSING: None;
  SECRET_KEY_DIFFERS: None;
  JOB_NOT_CANCELLABLE: { status: string };
  MAX_RESULTS_TOO_LARGE: { maxResults: number };
  TOO_MANY_JOBS: None;
  URL_NOT_ALLOWED: None;
  TOO_MANY_WEBHOOKS: { maxWebhooks: number };
  SECRET_UNREADABLE: None;
  RATE_LIMITED: None;
  TOO_MANY_READERS: None;
  HEADERS_TOO_LARGE: None;
  INTERNAL_ERROR: None;
  SERVICE_UNAVAILABLE: None;
  PROVIDER_UNAVAILABLE: { reason: string };
  /** No answer arrived. `cause` is the error of `fetch`. `details` states whether the request may have been done. */
  UNREACHABLE: None;
  /** The answer is not one of Leadyard, but for example the error page of a proxy, or a redirect. */
  UNEXPECTED_ANSWER: None;
}

export type ErrorCode = keyof ErrorFields;

/** What an error is made of. `attempts` counts the requests that were sent. */
export interface ErrorParts {
  code: string;
  message: string;
  details: string;
  status: number;
  traceId: string;
  fields: object;
  retryAfterS: number | null;
  attempts: number;
  idempotencyKey: string | null;
}

class OneError extends Error {
  readonly code: string;
  /** What to do about it, as a sentence. */
  readonly details: string;
  /** The HTTP status, 0 if no answer arrived. */
  readonly status: number;
  /** The id of the request in the log of the service, empty if no answer arrived. Quote it in a report. */
  readonly traceId: string;
  /** The additional fields of this code. */
  readonly fields: object;
  /** After how many seconds the service accepts the request again, if it has stated that. */
  readonly retryAfterS: number | null;
  /** How often the request was sent. */
  readonly attempts: number;
  /** The key that was sent. The same request with it is carried out once, however often you send it. */
  readonly idempotencyKey: string | null;

  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super(parts.message, options);
    this.name = "LeadyardError";
    this.code = parts.code;
    this.details = parts.details;
    this.status = parts.status;
    this.traceId = parts.traceId;
    this.fields = parts.fields;
    this.retryAfterS = parts.retryAfterS;
    this.attempts = parts.attempts;
    this.idempotencyKey = parts.idempotencyKey;
  }
}

/** The error of one code, or of any. */
export type LeadyardErrorOf<Code extends ErrorCode = ErrorCode> = Code extends ErrorCode
  ? Omit<OneError, "code" | "fields"> & { readonly code: Code; readonly fields: ErrorFields[Code] }
  : never;

/**
 * A request that was refused, or that got no answer. After `error instanceof LeadyardError`, a comparison of `error.code`
 * gives `error.fields` its type. A newer service may send codes that are not in the type, so give a `switch` a default.
 */
export type LeadyardError = LeadyardErrorOf;
export const LeadyardError = OneError as unknown as {
  new (parts: ErrorParts, options?: ErrorOptions): LeadyardError;
  readonly prototype: LeadyardError;
};
