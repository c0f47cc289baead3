// The parts of the API's answers that the page reads. openapi.json has all of them.

export type Permission = "audiences:read" | "audiences:write" | "prospects:read" | "prospecting:read" | "prospecting:write" | "webhooks:read" | "webhooks:write";

export interface Session { keyName: string | null; permissions: Permission[]; expiresAt: string }
export interface Account { id: string; name: string }
export interface Page<T> { items: T[]; nextCursor: string | null; hasMore: boolean }
export interface Audience { id: string; name: string; type: string; description: string | null; folderId: string | null; prospectCount: number; createdAt: string }
export interface Folder { id: string; name: string; audienceType: string; position: number; audiences: Audience[] }
export interface Navigation { folders: Folder[]; ungroupedAudiences: Audience[] }
export interface Company { name: string | null; linkedinIdentifier: string | null; linkedinUrl: string | null; industry: string | null; website: string | null }
export interface Person {
  id: string; firstName: string | null; lastName: string | null; name: string | null; headline: string | null; about: string | null;
  linkedinUrl: string | null; title: string | null; email: string | null; phone: string | null; location: string | null;
  company: Company; customFields: Record<string, string>; providerId: string | null; createdAt: string; addedAt?: string; audiences?: Audience[];
}
export type ChangeKind = "move" | "copy" | "remove" | "add" | "import" | "undo" | "erase" | "merge" | "delete_audience";
export interface Change {
  id: string; kind: ChangeKind; sourceAudienceId: string | null; targetAudienceId: string | null; leadCount: number; alreadyInTargetCount: number;
  changedAt: string; jobId: string | null; undoesChangeId: string | null; undoneByChangeId: string | null;
}
export interface Undone { change?: Change; undoneCount?: number; skippedCount?: number; keptEdits?: number | null; jobId?: string }
export interface ChangedPerson { prospectId: string; wasInTarget: boolean; name: string | null }
export type JobStatus = "queued" | "running" | "completed" | "failed" | "cancelled";
export interface ImportCounts { read: number; created: number; matched: number; added: number; alreadyInAudience: number; rejected: number; skipped: number; noted: number }
export interface JobSummary { jobId: string; type: string; status: JobStatus; createdAt: string; updatedAt: string }
export interface Job extends JobSummary {
  sourceType: string; audienceId: string; counts: ImportCounts; error: { code: string; message: string } | null;
  stages: { import: { status: string; progress: number }; enrichment: { status: string; progress: number } };
}
export interface Transfer {
  jobId: string; action?: string; status: JobStatus; progress: number; createdAt: string; sourceAudienceId?: string; targetAudienceId?: string | null;
  count?: number | null; changeId?: string | null; undoesChangeId?: string | null; error?: { code: string; message: string; count?: number | null } | null;
}
export interface Preview { count: number; alreadyInTargetCount: number; sourceProspectCountAfter: number; targetProspectCountAfter: number | null; sample: Person[] }
export interface ImportColumn { name: string; samples: string[]; field: string | null; how: string; alternatives?: string[] }
export interface ImportPreview {
  format: string; sheets: string[] | null; sheet: string | null; encoding: string | null; delimiter: string | null; rowCount: number | null; columns: ImportColumn[];
  rows: { line: number; prospect: Partial<Person> | null; identity: string | null; notes: { code: string; message?: string }[] }[];
  estimate: { created: number; matched: number; rejected: number; notes: Record<string, number> };
}
export interface DuplicateGroup { prospects: Person[]; reason: "email" | "name_and_company" | "phone" | "linkedin" }
export interface Webhook { id: string; url: string; types: string[]; description: string | null; status: string; disabledReason: string | null; lastSuccessAt: string | null; failingSince: string | null; secret?: string }
export interface Delivery { id: string; eventId: string; type: string; status: string; attempts: { at: string; statusCode: number | null; durationMs: number; error: string | null }[]; nextAttemptAt: string | null }

/** A filter of the API's list of people. */
export interface Filter { q?: string; company?: string; title?: string; hasEmail?: boolean; addedAfter?: string; addedBefore?: string }
