// What the kernel tells the landing page.

export interface Exercise {
  number: string;
  title: string;
  state: "passed" | "tried" | "begun" | "untouched";
}

export interface Lesson {
  number: number;
  title: string;
  /** File name in `notebooks/`. */
  notebook: string;
  /** Where a running JupyterLab has it. */
  link: string | null;
  exercises: Exercise[];
  quiz: { questions: number; right: number };
}

export interface Lessons {
  summary: string;
  notice: string;
  /** The workshop's folder, when there is one. */
  folder: string | null;
  lessons: Lesson[];
}
