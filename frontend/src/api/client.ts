/** The one way to the server: typed by its OpenAPI document, failing with the server's own words. */
import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Account = Schemas["AccountAnswer"];
export type Dataset = Schemas["DatasetAnswer"];
export type Run = Schemas["RunAnswer"];
export type Epoch = Schemas["EpochAnswer"];
export type Recipe = Schemas["RecipeAnswer"];
export type Sample = Schemas["SampleAnswer"];
export type SampleDetail = Schemas["SampleDetail"];
export type SamplePage = Schemas["SamplePage"];
export type ExportPreview = Schemas["ExportPreview"];
export type ExportList = Schemas["ExportList"];
/** Whether the run trained a network; predictions that people bring are judged without. */
export const isTrained = (run: Run) => run.recipe !== "predictions";

export type Problem = Schemas["ErrorAnswer"];

/** What the server answered instead of what was asked for; status 0 means that it was not reached at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.message);
    this.name = "ApiError";
  }
}

export const UNREACHABLE: Problem = {
  code: "UNREACHABLE",
  message: "The server does not answer.",
  hint: "Check that it is still running. Nothing you decided is lost: it is sent when the server is back.",
};

export const client = createClient<paths>({
  baseUrl: "/",
  // The server takes a cookie's state changes only as JSON, with or without a body.
  headers: { "Content-Type": "application/json" },
});

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; throws ApiError for everything that is not one. */
export async function answer<T>(asked: Promise<Answered<T>>): Promise<T> {
  let answered: Answered<T>;
  try {
    answered = await asked;
  } catch (cause) {
    throw cause instanceof ApiError ? cause : new ApiError(0, UNREACHABLE);
  }
  if (answered.error !== undefined || !answered.response.ok) {
    throw new ApiError(answered.response.status, asProblem(answered.error, answered.response));
  }
  return answered.data as T;
}

/** The server's error body, or one like it when something between us and the server answered. */
export function asProblem(body: unknown, response: { status: number }): Problem {
  if (typeof body === "object" && body !== null && "code" in body && "message" in body)
    return body as Problem;
  return {
    code: `HTTP_${response.status}`,
    message: `The server answered with status ${response.status}.`,
    hint: "Try again; if it stays, look at the server's log.",
  };
}

/** Any thrown value as a Problem that a screen can show. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    code: "UNEXPECTED",
    message: error instanceof Error ? error.message : String(error),
    hint: "Reload the page. If it happens again, it is a defect of the dashboard.",
  };
}
