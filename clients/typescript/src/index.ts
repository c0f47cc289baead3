// The client of Leadyard: see README.md.

export { Calls, type EventOptions, type LeadyardOptions } from "./calls.js";
export { Leadyard, type TransferRequest } from "./client.js";
export {
  Connection,
  newIdempotencyKey,
  type Answer,
  type ConnectionOptions,
  type FileBody,
  type Query,
  type RequestOptions,
  type Retry,
  type Sent,
} from "./connection.js";
export {
  LeadyardError,
  type ErrorCode,
  type ErrorFields,
  type ErrorParts,
  type LeadyardErrorOf,
  type Violation,
} from "./errors.js";
export { JobError, type WaitOptions } from "./jobs.js";
export type { components, operations, paths, webhooks } from "./openapi.js";
export { OPERATIONS } from "./operations.js";
export type { Patience } from "./retrying.js";
export type * from "./types.js";
export { verifyWebhook, WebhookVerificationError, type VerificationFailure, type VerifyOptions } from "./webhooks.js";
