// A job as the kernel tells it; Python's names.

export type Status = "pending" | "running" | "completed" | "failed" | "cancelled";

export interface Job {
  id: string;
  status: Status;
  created: string;
  completed: string | null;
  total: number;
  done: number;
  failed: number;
  error: string | null;
}

export interface PromptRow {
  number: number;
  prompt: string | null;
  result: string | null;
  error: string | null;
}

export function hasEnded(job: Job): boolean {
  return job.status === "completed" || job.status === "failed" || job.status === "cancelled";
}
