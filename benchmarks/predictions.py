"""How own predictions are judged, in quality and seconds, beside cleanlab on the same arrays.

    python -m benchmarks.predictions FOLDER [--json FILE] [--end-to-end]

FOLDER holds .npz files of out-of-sample predicted_probabilities, given_label and true_label. `--end-to-end` also sends each
through an installation started for it: upload, run, map, results.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from tests.installation import installation
from worker.noise.detection import detection_metrics
from worker.predicted import judged

HERE = Path(__file__).parent
COLUMNS = ("seconds", "auroc", "average_precision", "f1", "precision", "recall", "noise_rate")


class Verdict(NamedTuple):
    """What a way says: suspicion and flag of each sample, and the share of wrong labels."""

    suspicion_N: NDArray[Any]
    flagged_N: NDArray[np.bool_]
    noise_rate: float


def ours(probability_NC: NDArray[np.float32], given_N: NDArray[np.int64]) -> Verdict:
    """As a run judges uploaded predictions."""
    findings, assessment = judged(probability_NC, given_N, in_sample=False)
    return Verdict(findings.noise_posterior_N, findings.flagged_N, assessment.noise_rate)


def confident_learning(method: str) -> Callable[[NDArray[np.float32], NDArray[np.int64]], Verdict]:
    """cleanlab with one of its rankings; flags and noise rate are the same for each."""

    def judge(probability_NC: NDArray[np.float32], given_N: NDArray[np.int64]) -> Verdict:
        from cleanlab.count import estimate_joint
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        quality_N = get_label_quality_scores(given_N, probability_NC, method=method)
        flagged_N = find_label_issues(given_N, probability_NC)
        return Verdict(-quality_N, flagged_N, float(1 - np.trace(estimate_joint(given_N, probability_NC))))

    return judge


WAYS = {
    "noise audit": ours,
    "cleanlab, self-confidence": confident_learning("self_confidence"),
    "cleanlab, normalised margin": confident_learning("normalized_margin"),
}


def rows(path: Path) -> dict[str, Any]:
    """Every way on the arrays of one file."""
    with np.load(path, allow_pickle=False) as file:
        probability_NC = file["predicted_probabilities"].astype(np.float32)
        given_N, true_N = file["given_label"].astype(np.int64), file["true_label"].astype(np.int64)
    measured: dict[str, Any] = {}
    for name, judge in WAYS.items():
        judge(probability_NC[:500], given_N[:500])  # imports and first calls are not what is compared
        started, worked = time.perf_counter(), time.process_time()
        verdict = judge(probability_NC, given_N)
        seconds, processor = time.perf_counter() - started, time.process_time() - worked
        found = detection_metrics(given_N != true_N, verdict.suspicion_N, verdict.flagged_N)
        measured[name] = {
            "seconds": seconds,
            "processor_seconds": processor,
            **found,
            "noise_rate": verdict.noise_rate,
        }
    return {"samples": len(given_N), "wrong": float((given_N != true_N).mean()), "rows": measured}


def end_to_end(paths: list[Path]) -> dict[str, float]:
    """Seconds of the command that uploads, judges, draws the map and prints the result; images are one-coloured, since nobody looks at them here."""
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="noise-audit-bench-") as folder:
        Path(folder).chmod(0o755)
        with installation(Path(folder)) as running:
            for path in paths:
                with np.load(path, allow_pickle=False) as file:
                    dataset = running.last_line("import", str(_images(file["given_label"], Path(folder))))
                sys.stderr.write(f"{path.stem}: images imported\n")
                started = time.perf_counter()
                running.last_line("audit", dataset, "--predictions", str(path), "--wait")
                seconds[path.stem] = time.perf_counter() - started
    return seconds


def _images(given_N: NDArray[Any], folder: Path) -> Path:
    """A Parquet file with a tiny image per sample, which an import takes in the order of the predictions."""
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG")
    path = folder / "images.parquet"
    pq.write_table(
        pa.table({"image": [file.getvalue()] * len(given_N), "label": given_N.astype(np.int64)}), path
    )
    return path


def table(document: dict[str, Any]) -> str:
    """The rows as text."""
    lines = []
    for name, part in document["sets"].items():
        lines += [f"{name}: {part['samples']:,} samples, {part['wrong']:.1%} wrong labels"]
        lines += [
            f"  {'':<30}{'seconds':>8}{'AUROC':>9}{'AP':>8}{'F1':>8}{'prec.':>8}{'recall':>8}{'rate':>8}"
        ]
        for way, row in part["rows"].items():
            lines += [f"  {way:<30}{row['seconds']:>8.2f}{row['auroc']:>9.5f}"
                      + "".join(f"{row[key]:>8.4f}" for key in COLUMNS[2:])]  # fmt: skip
        if "end_to_end_seconds" in part:
            lines += [f"  upload to results, map included: {part['end_to_end_seconds']:.1f} s"]
    return "\n".join(lines)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.predictions", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, default=HERE / "results" / "predictions.json")
    parser.add_argument("--end-to-end", action="store_true")
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.npz"))
    document = {"cleanlab": version("cleanlab"), "sets": {path.stem: rows(path) for path in paths}}
    if options.end_to_end:
        for name, seconds in end_to_end(paths).items():
            document["sets"][name]["end_to_end_seconds"] = seconds
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    print(table(document))


if __name__ == "__main__":
    main()
