"""What the noise model says of sets whose truth is known, and what a fit costs; one table each, and JSON.

    python -m benchmarks.noise [OOF_FOLDER] [--losses FOLDER] [--json FILE] [--quick]

OOF_FOLDER holds .npz files of out-of-sample predicted_probabilities, given_label, true_label: each is judged as given, and
with 0 … 80 % noise planted into the true labels, from the probabilities and from the loss vector alone. FOLDER
(benchmarks/losses) holds our own trainings, recorded by benchmarks.trainings. Both parts are optional; the speed table always runs.
Shapes: N samples, C classes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from worker.noise.assess import Assessment, assess, assess_probabilities, assess_training
from worker.noise.detection import auroc, flag_metrics
from worker.noise.inject import inject
from worker.noise.mixtures import BetaMixture, GaussianMixture
from worker.noise.transitions import noise_structure, suspicion

FloatArray = NDArray[np.float64]
HERE = Path(__file__).parent
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


class Case(NamedTuple):
    """One set of labels: what it is judged by, and which labels are wrong (N,)."""

    name: str
    source: str
    noisy_N: NDArray[np.bool_]
    score_N: FloatArray
    judge: Callable[[], Assessment]


def oof_cases(folder: Path, quick: bool) -> Iterator[Case]:
    """Every file of the folder under every planted noise, by its probabilities and by its losses alone."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            probability_NC, given_N, true_N = (
                file["predicted_probabilities"], file["given_label"].astype(np.int64), file["true_label"].astype(np.int64)
            )  # fmt: skip
        classes = probability_NC.shape[1]
        labels = {"as given": given_N, "true labels": true_N}
        for rate in (0.02, 0.2) if quick else RATES:
            for kind in ("symmetric", "class-conditional"):
                labels[f"{kind} {rate:.0%}"] = inject(true_N, classes, kind, rate, np.random.default_rng(0))
        for name, label_N in labels.items():
            probability_N = probability_NC[np.arange(len(label_N)), label_N].astype(np.float64)
            loss_N = -np.log(np.maximum(probability_N, 1.2e-38))
            title = f"{path.stem}, {name}"
            noisy_N = label_N != true_N
            yield Case(title, "probabilities", noisy_N, loss_N,
                       partial(assess_probabilities, probability_NC, label_N))  # fmt: skip
            yield Case(title, "loss", noisy_N, loss_N, partial(assess, loss_N))


def own_cases(folder: Path) -> Iterator[Case]:
    """Our own trainings: by their predictions, as the product judges, and by mean and last loss alone."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            given_N, true_N = file["given_label"].astype(np.int64), file["true_label"].astype(np.int64)
            probability_NC = np.exp(file["ranked_log_probability_NC"].astype(np.float64))
            early = float(file["early_disagreement"])
            losses = {
                "mean loss": file["mean_loss_N"].astype(np.float64),
                "last loss": file["last_loss_N"].astype(np.float64),
            }
        title, noisy_N = f"training, {path.stem}", given_N != true_N
        score_N = suspicion(probability_NC, given_N, noise_structure(probability_NC, given_N))
        yield Case(title, "predictions", noisy_N, score_N, 
                   partial(assess_training, score_N, probability_NC, given_N, early))  # fmt: skip
        for source, loss_N in losses.items():
            yield Case(title, source, noisy_N, loss_N, partial(assess, loss_N))


def best_f1(noisy_N: NDArray[np.bool_], score_N: FloatArray) -> float:
    """The highest F1 that any threshold on the score reaches."""
    order_N = np.argsort(-score_N, kind="stable")
    hits_N = np.cumsum(noisy_N[order_N])
    f1_N = 2.0 * hits_N / (np.arange(1, hits_N.size + 1) + max(int(noisy_N.sum()), 1))
    return float(f1_N[np.append(np.diff(score_N[order_N]) != 0.0, True)].max())


def row_of(case: Case) -> dict[str, Any]:
    """One line of the table."""
    started = time.perf_counter()
    found = case.judge()
    seconds = time.perf_counter() - started
    rate = float(case.noisy_N.mean())
    low, high = found.noise_rate_interval
    return {
        "set": case.name,
        "from": case.source,
        "samples": int(case.noisy_N.size),
        "auroc": auroc(case.noisy_N, found.noise_posterior_N),
        "f1": flag_metrics(case.noisy_N, found.flagged_N)["f1"],
        "best_f1": best_f1(case.noisy_N, found.noise_posterior_N),
        "noise_rate": found.noise_rate,
        "true_rate": rate,
        "interval": [low, high],
        "covered": low <= rate <= high,
        "flagged": float(found.flagged_N.mean()),
        "verdict": found.trust.verdict,
        "model": found.model,
        "reasons": list(found.trust.reasons),
        "seconds": seconds,
    }


def missed(row: dict[str, Any]) -> list[str]:
    """What of our aims this line misses."""
    if row["true_rate"] == 0.0:
        return ["flags"] if row["flagged"] > 0.005 else []
    return [
        name
        for name, failed in (
            ("f1", row["f1"] < row["best_f1"] - 0.03),
            ("rate", abs(row["noise_rate"] - row["true_rate"]) > 0.03),
            ("interval", not row["covered"]),
        )
        if failed
    ]


def show(row: dict[str, Any]) -> None:
    """Prints a line of the table."""
    rank = "    –" if row["auroc"] is None else f"{row['auroc']:.4f}"
    print(
        f"{row['set'][:46]:46s} {row['from'][:13]:13s} {rank:>6s} {row['f1']:6.3f} {row['best_f1']:6.3f} "
        f"{row['noise_rate']:7.2%} {row['true_rate']:7.2%} {row['interval'][0]:7.2%} – {row['interval'][1]:7.2%} "
        f"{row['flagged']:7.2%} {row['verdict']:9s}{row['model']:9s} {row['seconds']:5.2f} {' '.join(missed(row))}",
        flush=True,
    )


def plain_fit(loss_N: FloatArray) -> FloatArray:
    """The paper's ten steps as one writes them with scipy: what the speed is compared with. Returns posteriors."""
    low, high = np.quantile(loss_N, [0.01, 0.99])
    x_N = np.clip((loss_N[(loss_N >= low) & (loss_N <= high)] - low) / (high - low), 1e-3, 1 - 1e-3)
    a_2, b_2, w_2 = [1.0, 2.0], [2.0, 1.0], [0.5, 0.5]
    for _ in range(10):
        density_2N = np.stack([w * stats.beta.pdf(x_N, a, b) for w, a, b in zip(w_2, a_2, b_2, strict=True)])
        share_2N = density_2N / density_2N.sum(axis=0)
        mean_2 = (share_2N * x_N).sum(axis=1) / share_2N.sum(axis=1)
        variance_2 = (share_2N * (x_N - mean_2[:, None]) ** 2).sum(axis=1) / share_2N.sum(axis=1)
        a_2 = list(mean_2 * (mean_2 * (1 - mean_2) / variance_2 - 1))
        b_2 = [a * (1 - m) / m for a, m in zip(a_2, mean_2, strict=True)]
        w_2 = list(share_2N.mean(axis=1))
    return np.asarray(share_2N[1])


def speed(quick: bool) -> list[dict[str, Any]]:
    """Milliseconds of one fit, normalisation included, and of the posteriors of all samples: the median of several."""
    rng = np.random.default_rng(0)
    rows = []
    for samples in (50_000,) if quick else (50_000, 1_000_000, 10_000_000):
        noisy_N = rng.random(samples) < 0.3
        loss_N = np.where(noisy_N, rng.normal(5.0, 1.0, samples), rng.gamma(1.0, 0.4, samples))
        fits: dict[str, tuple[Callable[[], object], Callable[[], object] | None]] = {}
        beta, gaussian = BetaMixture(tolerance=0.0), GaussianMixture(iterations=10, tolerance=0.0)
        likely = BetaMixture(estimator="likelihood", tolerance=0.0)
        for name, mixture in (("beta, moments", beta), ("beta, likelihood", likely), ("Gaussian", gaussian)):
            fits[name] = (partial(mixture.fit, loss_N), partial(mixture.posterior, loss_N))
        if samples <= 1_000_000:
            fits["plain scipy, beta, moments"] = (partial(plain_fit, loss_N), None)
        fits["whole assessment"] = (partial(assess, loss_N), None)
        for name, (fit, posterior) in fits.items():
            slow = name.startswith(("plain", "whole"))
            row: dict[str, Any] = {
                "samples": samples,
                "fit": name,
                "fit_ms": _median_ms(fit, 2 if slow else 9),
            }
            row["posterior_ms"] = None if posterior is None else _median_ms(posterior, 5)
            rows.append(row)
            tail = "" if row["posterior_ms"] is None else f"{row['posterior_ms']:10.1f}"
            print(f"{samples:10d} {name:28s} {row['fit_ms']:10.1f} {tail}", flush=True)
    return rows


def _median_ms(call: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken) * 1e3)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noise")
    parser.add_argument("oof", type=Path, nargs="?", metavar="OOF_FOLDER")
    parser.add_argument("--losses", type=Path, default=HERE / "losses", metavar="FOLDER")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "noise.json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="fewer planted rates, no large speed runs")
    options = parser.parse_args(arguments)
    if options.oof is not None and not options.oof.is_dir():
        sys.stderr.write(f"error: {options.oof} is no folder\n")
        return 2
    print(f"{'samples':>10s} {'fit':28s} {'fit ms':>10s} {'posterior ms':>12s}")
    timing = speed(options.quick)
    print(
        f"\n{'set':46s} {'from':13s} {'AUROC':>6s} {'F1':>6s} {'best':>6s} {'rate':>7s} {'true':>7s} "
        f"{'interval':>17s} {'flagged':>7s} {'verdict':9s}{'model':9s} {'s':>5s} misses"
    )
    rows = []
    for case in [
        *(oof_cases(options.oof, options.quick) if options.oof is not None else ()),
        *own_cases(options.losses),
    ]:
        rows.append(row_of(case))
        show(rows[-1])
    covered = sum(row["covered"] for row in rows)
    failing = sum(bool(missed(row)) for row in rows)
    if rows:
        print(f"\n{len(rows)} lines, {failing} miss an aim; intervals hold the truth in {covered}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"speed": timing, "sets": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
