/** Flags by exactly whom: a bar, its runs as dots, and the gallery with these samples. */
import { Link } from "@tanstack/react-router";

import type { Comparison } from "@/api/evidence";
import { count, percent } from "@/parts/format";

import { galleryOf, type Letters } from "./compare";
import { Letter } from "./RunPicker";

interface Props {
  comparison: Comparison;
  letters: Letters;
}

export function Overlap({ comparison, letters }: Props) {
  const ids = comparison.runs.map(({ id }) => id);
  const rows = comparison.overlap
    .filter(({ runs }) => runs.length > 0)
    .sort((a, b) => b.runs.length - a.runs.length || b.samples - a.samples);
  const largest = Math.max(1, ...rows.map(({ samples }) => samples));
  const all = rows.reduce((sum, { samples }) => sum + samples, 0);
  return (
    <table className="table overlap number">
      <caption className="visually-hidden">Samples flagged by exactly these runs</caption>
      <thead>
        <tr>
          <th scope="col">Flagged by</th>
          <th scope="col" className="overlap-wide">
            <span className="visually-hidden">Share of all flagged</span>
          </th>
          <th scope="col">Samples</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ runs, samples }) => {
          const gallery = galleryOf(
            ids.filter((id) => runs.includes(id)),
            ids,
          );
          const everyone = runs.length === ids.length;
          return (
            <tr key={runs.join()}>
              <th scope="row">
                <span className="overlap-dots">
                  {ids.map((id) =>
                    runs.includes(id) ? (
                      <Letter key={id} of={id} letters={letters} />
                    ) : (
                      <i key={id} aria-hidden />
                    ),
                  )}
                </span>
              </th>
              <td className="overlap-wide">
                <div
                  className="overlap-bar"
                  data-all={everyone || undefined}
                  style={{ width: `${(samples / largest) * 100}%` }}
                />
              </td>
              <td>
                {samples === 0 ? (
                  "0"
                ) : (
                  <Link
                    to="/runs/$runId/flags"
                    params={{ runId: gallery.run }}
                    search={{
                      ...(gallery.flagged_by.length > 0 && { flagged_by: gallery.flagged_by.join() }),
                      ...(gallery.not_flagged_by.length > 0 && {
                        not_flagged_by: gallery.not_flagged_by.join(),
                      }),
                    }}
                    aria-label={`Show the ${count(samples)} samples in the gallery`}
                  >
                    {count(samples)}
                  </Link>
                )}
              </td>
              <td className="dim">{all === 0 ? "–" : percent(samples / all)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

export function Pairs({ comparison, letters }: Props) {
  return (
    <>
      <table className="table number">
        <thead>
          <tr>
            <th scope="col">Pair</th>
            <th scope="col">Both flag</th>
            <th scope="col">Of either's</th>
            <th scope="col">Rank correlation</th>
          </tr>
        </thead>
        <tbody>
          {comparison.pairs.map(({ a, b, shared, jaccard, rank_correlation: rank }) => (
            <tr key={`${a}-${b}`}>
              <th scope="row">
                <span className="overlap-dots">
                  <Letter of={a} letters={letters} />
                  <Letter of={b} letters={letters} />
                </span>
              </th>
              <td>{count(shared)}</td>
              <td>{percent(jaccard)}</td>
              <td>{rank == null ? "–" : rank.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="faint compare-note">
        The rank correlation is Spearman's, of all samples' noise posteriors: 1 means the same order of
        suspicion.
      </p>
    </>
  );
}
