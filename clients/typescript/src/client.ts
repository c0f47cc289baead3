// The client: a method for each of the operations that programs need most. `call` has the others.

import { Calls } from "./calls.js";
import type { FileBody, RequestOptions } from "./connection.js";
import { ended, type WaitOptions } from "./jobs.js";
import type {
  Audience,
  BodyOf,
  Change,
  DataOf,
  NewProspect,
  Prospect,
  ProspectingJob,
  QueryOf,
  Schemas,
  Transfer,
  TransferPreview,
  Webhook,
} from "./types.js";

type Filter<Id extends "list_prospects" | "find_prospects" | "list_changes"> = Omit<QueryOf<Id>, "cursor">;
/** A transfer, as POST …/transfers takes it. */
export type TransferRequest = Omit<Schemas["StartTransfer"], "dryRun">;
type Undone = DataOf<"undo_change">;
type ImportOptions = Omit<Schemas["StartCsvUpload"], "type" | "uploadId" | "audience">;

/**
 * A client of Leadyard for Node 20.3 or newer and for browsers. Every method throws a LeadyardError when the service
 * refuses the request or gives no answer, and its last argument are RequestOptions.
 *
 * The client sends a request again after a 429 or 503, and after a broken connection. Every POST has an Idempotency-Key,
 * so a change is made once, however often it is sent.
 */
export class Leadyard extends Calls {
  /** Returns a client for another account group of the same key. */
  forAccountGroup(accountGroupId: string): Leadyard {
    return new Leadyard({ ...this.options, accountGroupId });
  }

  // ---------------------------------------------------------------------------------------------------- audiences

  /** Yields all audiences, oldest first. Those that a job is filling are left out. */
  audiences(options: RequestOptions = {}): AsyncGenerator<Audience, void, void> {
    return this.items("list_audiences", options);
  }

  getAudience(audienceId: string, options: RequestOptions = {}): Promise<Audience> {
    return this.data("get_audience", { ...options, path: { audienceId } });
  }

  /** Creates an audience, of the type `on_demand` unless you choose `monitoring`. */
  createAudience(
    audience: Omit<BodyOf<"create_audience">, "type"> & { type?: "on_demand" | "monitoring" },
    options: RequestOptions = {},
  ): Promise<Audience> {
    return this.data("create_audience", { ...options, body: { type: "on_demand", ...audience } });
  }

  updateAudience(
    audienceId: string,
    changes: BodyOf<"update_audience">,
    options: RequestOptions = {},
  ): Promise<Audience> {
    return this.data("update_audience", { ...options, path: { audienceId }, body: changes });
  }

  /** Deletes an audience. Its people stay in the account group. A repeated request may be refused with `NOT_FOUND`. */
  async deleteAudience(audienceId: string, options: RequestOptions = {}): Promise<void> {
    await this.data("delete_audience", { ...options, path: { audienceId } });
  }

  // ------------------------------------------------------------------------------------------------------- people

  /** Yields the people of an audience, or those that match the filter. */
  prospects(
    audienceId: string,
    filter: Filter<"list_prospects"> = {},
    options: RequestOptions = {},
  ): AsyncGenerator<Prospect, void, void> {
    return this.items("list_prospects", { ...options, path: { audienceId }, query: filter });
  }

  /** Finds people in all audiences, each with the audiences that contain the person. */
  findProspects(
    filter: Filter<"find_prospects"> = {},
    options: RequestOptions = {},
  ): AsyncGenerator<Schemas["Lead"], void, void> {
    return this.items("find_prospects", { ...options, query: filter });
  }

  getProspect(prospectId: string, options: RequestOptions = {}): Promise<Schemas["Lead"]> {
    return this.data("get_prospect", { ...options, path: { prospectId } });
  }

  /** Adds 1 to 1,000 people. The answer counts the new and the known ones, and lists the rejected ones with the reason. */
  addProspects(
    audienceId: string,
    prospects: NewProspect[],
    options: RequestOptions = {},
  ): Promise<Schemas["ProspectsAdded"]> {
    return this.data("add_prospects", { ...options, path: { audienceId }, body: { prospects } });
  }

  updateProspect(
    prospectId: string,
    changes: BodyOf<"update_prospect">,
    options: RequestOptions = {},
  ): Promise<Schemas["Lead"]> {
    return this.data("update_prospect", { ...options, path: { prospectId }, body: changes });
  }

  /** Returns the people of an audience as a CSV file: a stream of bytes. */
  exportProspects(audienceId: string, options: RequestOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return this.data("export_prospects", { ...options, path: { audienceId } });
  }

  // ------------------------------------------------------------------------------------------ move, copy, remove

  /** Moves 1 to 10,000 people: all of them or, if one is not in the source, none. */
  moveLeads(
    sourceAudienceId: string,
    targetAudienceId: string,
    leadIds: string[],
    options: RequestOptions = {},
  ): Promise<Schemas["AudienceLeadMove"]> {
    return this.data("move_leads", {
      ...options,
      path: { audienceId: sourceAudienceId },
      body: { targetAudienceId, leadIds },
    });
  }

  /** Copies 1 to 10,000 people, all of them or none. They stay in the source. */
  copyLeads(
    sourceAudienceId: string,
    targetAudienceId: string,
    leadIds: string[],
    options: RequestOptions = {},
  ): Promise<Schemas["AudienceLeadCopy"]> {
    return this.data("copy_leads", {
      ...options,
      path: { audienceId: sourceAudienceId },
      body: { targetAudienceId, leadIds },
    });
  }

  /** Removes 1 to 10,000 people from an audience, all of them or none. They stay in the account group. */
  removeLeads(
    audienceId: string,
    leadIds: string[],
    options: RequestOptions = {},
  ): Promise<Schemas["AudienceLeadRemoval"]> {
    return this.data("remove_leads", { ...options, path: { audienceId }, body: { leadIds } });
  }

  // ---------------------------------------------------------------------------------------------------- transfers

  /** Returns what a transfer would do, and changes nothing. */
  async previewTransfer(transfer: TransferRequest, options: RequestOptions = {}): Promise<TransferPreview> {
    return (await this.data("start_transfer", { ...options, body: { ...transfer, dryRun: true } })) as TransferPreview;
  }

  /** Starts a transfer of any number of people. Send the `count` of its preview as `expectedCount`. */
  async startTransfer(transfer: TransferRequest, options: RequestOptions = {}): Promise<Schemas["TransferStart"]> {
    return (await this.data("start_transfer", { ...options, body: transfer })) as Schemas["TransferStart"];
  }

  getTransfer(jobId: string, options: RequestOptions = {}): Promise<Transfer> {
    return this.data("get_transfer", { ...options, path: { jobId } });
  }

  cancelTransfer(jobId: string, options: RequestOptions = {}): Promise<DataOf<"cancel_transfer">> {
    return this.data("cancel_transfer", { ...options, path: { jobId } });
  }

  /** Returns the transfer when it has completed. Throws a JobError when it has failed or was cancelled. */
  waitForTransfer(jobId: string, options: WaitOptions<Transfer> = {}): Promise<Transfer> {
    return ended(() => this.getTransfer(jobId, options.signal ? { signal: options.signal } : {}), options);
  }

  // ------------------------------------------------------------------------------------------------------ changes

  /** Yields the changes that match the filter, newest first. */
  changes(filter: Filter<"list_changes"> = {}, options: RequestOptions = {}): AsyncGenerator<Change, void, void> {
    return this.items("list_changes", { ...options, query: filter });
  }

  getChange(changeId: string, options: RequestOptions = {}): Promise<Change> {
    return this.data("get_change", { ...options, path: { changeId } });
  }

  /** Undoes a change. The answer for more than 10,000 people has a `jobId`: pass it to `waitForTransfer`. */
  undoChange(changeId: string, how: Schemas["UndoChange"] = {}, options: RequestOptions = {}): Promise<Undone> {
    return this.data("undo_change", { ...options, path: { changeId }, body: how });
  }

  // ------------------------------------------------------------------------------------------------- jobs, imports

  /** Uploads a file for an import. Pass a `Blob`, or in Node the result of `fs.openAsBlob`, so that it can be sent again. */
  createUpload(file: FileBody, options: RequestOptions = {}): Promise<Schemas["UploadedFile"]> {
    return this.data("create_upload", { ...options, file });
  }

  /** Returns what an import would make of an upload, and changes nothing. */
  previewUpload(
    uploadId: string,
    how: Schemas["PreviewUpload"] = {},
    options: RequestOptions = {},
  ): Promise<Schemas["UploadPreview"]> {
    return this.data("preview_upload", { ...options, path: { uploadId }, body: how });
  }

  /** Starts a job that fills an audience. */
  startProspecting(
    start: BodyOf<"start_prospecting">,
    options: RequestOptions = {},
  ): Promise<Schemas["ProspectingJobStart"]> {
    return this.data("start_prospecting", { ...options, body: start });
  }

  /** Uploads a file and starts its import into an audience: one that exists, or a new one. */
  async importFile(
    file: FileBody,
    audience: Schemas["TargetAudience"],
    how: ImportOptions = {},
    options: RequestOptions = {},
  ): Promise<Schemas["ProspectingJobStart"]> {
    const { idempotencyKey, ...ofUpload } = options;
    const { uploadId } = await this.createUpload(file, ofUpload);
    return this.startProspecting({ ...how, type: "csv_upload", uploadId, audience }, options);
  }

  getProspecting(jobId: string, options: RequestOptions = {}): Promise<ProspectingJob> {
    return this.data("get_prospecting", { ...options, path: { jobId } });
  }

  cancelProspecting(jobId: string, options: RequestOptions = {}): Promise<DataOf<"cancel_prospecting">> {
    return this.data("cancel_prospecting", { ...options, path: { jobId } });
  }

  /** Returns the job when it has completed. Throws a JobError when it has failed or was cancelled. */
  waitForProspecting(jobId: string, options: WaitOptions<ProspectingJob> = {}): Promise<ProspectingJob> {
    return ended(() => this.getProspecting(jobId, options.signal ? { signal: options.signal } : {}), options);
  }

  /** Returns the rows that an import has rejected, as a CSV file: a stream of bytes. */
  exportRejected(jobId: string, options: RequestOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return this.data("export_rejected", { ...options, path: { jobId } });
  }

  // ----------------------------------------------------------------------------------------------------- webhooks

  /** Yields all webhooks, oldest first. */
  webhooks(options: RequestOptions = {}): AsyncGenerator<Webhook, void, void> {
    return this.items("list_webhooks", options);
  }

  /** Creates a webhook. Store the `secret` of the answer, because no other answer contains it. */
  createWebhook(
    webhook: BodyOf<"create_webhook">,
    options: RequestOptions = {},
  ): Promise<Schemas["WebhookWithSecret"]> {
    return this.data("create_webhook", { ...options, body: webhook });
  }

  updateWebhook(webhookId: string, changes: BodyOf<"update_webhook">, options: RequestOptions = {}): Promise<Webhook> {
    return this.data("update_webhook", { ...options, path: { webhookId }, body: changes });
  }

  async deleteWebhook(webhookId: string, options: RequestOptions = {}): Promise<void> {
    await this.data("delete_webhook", { ...options, path: { webhookId } });
  }

  /** Sends a test message, and returns what the receiver answered. It is the only POST that the client does not repeat. */
  testWebhook(webhookId: string, options: RequestOptions = {}): Promise<Schemas["WebhookTest"]> {
    return this.data("test_webhook", { ...options, path: { webhookId } });
  }
}
