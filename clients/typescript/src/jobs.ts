// Waits for jobs.

import { pause } from "./retrying.js";

export interface WaitOptions<Job> {
  signal?: AbortSignal;
  /** Called with each state of the job that the client sees. */
  onProgress?: (job: Job) => void;
  /** The pause between two looks at the job. Without it, it grows from 0.2 s to 3 s. */
  pollMs?: number;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3_000;

interface AnyJob {
  jobId: string;
  status: string;
  error: { code: string; message: string } | null;
}

/** A job that has failed or was cancelled. `code` is that of the job, or `CANCELLED`. */
export class JobError<Job extends AnyJob = AnyJob> extends Error {
  readonly code: string;

  constructor(readonly job: Job) {
    super(job.error?.message ?? "The job was cancelled.");
    this.name = "JobError";
    this.code = job.error?.code ?? "CANCELLED";
  }
}

/** Looks at a job until it has ended, and returns it if it has completed. Throws a JobError otherwise. */
export async function ended<Job extends AnyJob>(look: () => Promise<Job>, options: WaitOptions<Job>): Promise<Job> {
  for (let waitMs = FIRST_PAUSE_MS; ; waitMs = Math.min(LONGEST_PAUSE_MS, waitMs * 1.5)) {
    const job = await look();
    options.onProgress?.(job);
    if (job.status === "completed") return job;
    if (job.status === "failed" || job.status === "cancelled") throw new JobError(job);
    await pause(options.pollMs ?? waitMs, options.signal);
  }
}
