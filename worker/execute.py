"""One run from claim to published results; one that trains goes stage by stage: fetch, train, map, publish.

`python -m worker.execute RUN CLAIM [--smaller]`; started by `worker.jobs`, one process per run.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput, Damaged
from backend.settings import Settings
from backend.store import keeping, runs
from backend.store.artifacts import Artifacts
from backend.store.database import patiently
from backend.store.runs import PREDICTIONS
from backend.store.tables import Run
from worker.backbones import builder
from worker.claimed import Claimed
from worker.door import Stopped, enter
from worker.ingest.embedding import read_embedding
from worker.predicted import PredictedRun
from worker.results import stored_mixtures
from worker.scratch import scratch_folder
from worker.stages import Findings, Stages
from worker.trained import HEAD, saved
from worker.training.averages import STEPS_MADE
from worker.training.checkpoint import last_epoch, newest
from worker.training.device import chosen_device
from worker.training.networks import MissingBackbone
from worker.training.recipes import Recipe, recipe
from worker.training.reports import Diverged, OutOfMemory
from worker.training.reports import Stopped as TrainingStopped
from worker.training.tensorfile import AnyArray
from worker.training.train import EpochReport, Outcome, TrainingData, load_history, train
from worker.vectors import as_pixels, built_head, settings_of

TRAINED = 0.86
"""Share of the whole run that is done after training (measured on 10 000 small images)."""
LEARNED = "what the network learned"
OWN = "the embedding sent with the run"
"""Whose features the map shows."""
CHECKPOINT = "checkpoint"


class Training(Stages):
    """A run that trains a network on the dataset; `killed`: the process before this one was, most likely for memory."""

    def __init__(
        self,
        settings: Settings,
        artifacts: Artifacts,
        claimed: Claimed,
        run: Run,
        folder: Path,
        *,
        killed: bool = False,
    ) -> None:
        super().__init__(settings, artifacts, claimed, run, folder)
        self.killed = killed
        self.recipe: Recipe = _recipe(run)
        self.vector_NF: NDArray[np.float32] | None = None
        self.mirror = f"runs/{self.run_id}/{CHECKPOINT}/{claimed.claim_id}"
        self.earlier_starts: set[str] = set()
        self.device = _device(settings)

    def go(self) -> None:
        """All stages; raises ClaimLost when the run was cancelled or taken over."""
        data = self.fetch()
        outcome = self.train(data)
        layout = (
            self.layout(outcome.feature_NF, LEARNED, TRAINED)
            if self.vector_NF is None
            else self.layout(self.vector_NF, OWN, TRAINED)
        )
        folder = self.directory / "publish"
        folder.mkdir()
        self.save_history(folder / "history.npz")
        self.save_network(folder / "model.safetensors", data, self.labels().classes)
        kept = {**outcome.summary, "settings": self.recipe.as_dict()}
        self.publish(_findings(outcome), layout, data.given_label_N, folder, kept, outcome.epochs)
        if self.vector_NF is not None:
            self.forget_upload()

    def fetch(self) -> TrainingData:
        """Bring pixels and labels, and the newest checkpoint of an earlier start, to this machine."""
        self.claimed.enter("fetch", 0.0, "Fetching the images")
        labels = self.labels()
        image_NHWC = self.vectors() if "upload_id" in self.config else self.pixels(labels.content_id)
        self.fetch_checkpoints()
        return TrainingData(
            image_NHWC=image_NHWC,
            given_label_N=labels.given_N,
            true_label_N=labels.true_N,
            classes=len(labels.classes),
        )

    def fetch_checkpoints(self) -> None:
        """Those of the earlier start that came furthest; every claim mirrors into a folder of its own."""
        names_by_folder: dict[str, list[str]] = defaultdict(list)
        for key in self.artifacts.list(f"runs/{self.run_id}/{CHECKPOINT}"):
            folder, _, name = key.rpartition("/")
            names_by_folder[folder].append(name)
        self.earlier_starts = set(names_by_folder) - {self.mirror}
        target = self.directory / CHECKPOINT
        for folder in sorted(
            names_by_folder, key=lambda each: last_epoch(names_by_folder[each]), reverse=True
        ):
            for name in names_by_folder[folder]:
                self.fetch_checkpoint(f"{folder}/{name}", target / name)
            if newest(target):
                return
            shutil.rmtree(target, ignore_errors=True)

    def fetch_checkpoint(self, key: str, target: Path) -> None:
        """One file of the checkpoints; without one that rotted the training goes on from an older epoch."""
        try:
            self.artifacts.download(key, target)
        except Damaged:
            self.claimed.say("A stored checkpoint was damaged and is left out")
            self.artifacts.delete(key)

    def pixels(self, content_id: str) -> NDArray[np.uint8]:
        """The dataset's training pixels, on this machine."""
        path = self.directory / "pixels.npy"
        self.artifacts.download(f"datasets/{content_id}/pixels.npy", path)
        image_NHWC: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
        return image_NHWC

    def vectors(self) -> NDArray[np.uint8]:
        """The embedding that people sent, in the place of pixels."""
        path, names_N = self.fetch_upload()
        self.vector_NF = read_embedding(path, names_N=names_N, limits=self.settings.limits)
        return as_pixels(self.vector_NF)

    def train(self, data: TrainingData) -> Outcome:
        """Train, publishing each epoch's evidence as it comes."""
        samples, classes = f"{len(data.given_label_N):,} samples", f"{data.classes} classes"
        begun = newest(self.directory / CHECKPOINT)
        self.claimed.say(
            f"Training {self.recipe.name} on {self.device}: {samples}, {classes}, {self.recipe.epochs} epochs"
            + (f", going on after epoch {begun.epoch}" if begun else "")
        )
        self.claimed.progress(force=True, stage="train", fraction=0.01, message="Warming up")
        return train(
            data,
            self.recipe,
            seed=self.seed,
            device=self.settings.device,
            directory=self.directory / CHECKPOINT,
            on_epoch=self.publish_epoch,
            should_stop=self.claimed.should_stop,
            build=builder() if self.vector_NF is None else built_head,
            killed=self.killed,
        )

    def publish_epoch(self, report: EpochReport) -> None:
        """Mirror the checkpoint, then tell the database, so that a row never speaks of a lost epoch."""
        self.claimed.check()
        self.mirror_checkpoint()

        def write() -> None:
            with self.database.transaction() as session:
                runs.write_epoch(
                    session,
                    self.run_id,
                    self.claimed.claim_id,
                    report.epoch,
                    metrics=report.metrics_json,
                    histogram=report.histogram,
                    mixtures=stored_mixtures(report.mixtures, report.model),
                    trust=report.trust,
                )

        patiently(write)
        self.claimed.say(epoch_line(report))
        self.claimed.progress(
            force=True,
            stage="train",
            fraction=0.01 + (TRAINED - 0.01) * report.epoch / report.epochs,
            epoch=report.epoch,
            epochs=report.epochs,
            seconds_left=report.seconds_left,
            images_per_second=report.images_per_second,
            device=self.device,
            message=" ".join([f"Epoch {report.epoch} of {report.epochs}.", *report.notes]).rstrip("."),
        )

    def mirror_checkpoint(self) -> None:
        """Make our copy of the checkpoint folder in the artifact store equal to it, new files first."""
        folder, prefix = self.directory / CHECKPOINT, f"{self.mirror}/"
        here = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        there = {key.removeprefix(prefix) for key in self.artifacts.list(prefix)}
        for name in sorted(here.keys() - there):
            self.artifacts.put(prefix + name, here[name], replace=True)
        for name in there - here.keys():
            self.artifacts.delete(prefix + name)
        for earlier in self.earlier_starts:
            # Ours holds all that theirs did.
            keeping.drop(self.database, self.artifacts, f"{earlier}/")
        self.earlier_starts = set()

    def save_history(self, path: Path) -> None:
        """Loss, margin and prediction of every sample after every epoch."""
        history = load_history(self.directory / CHECKPOINT)
        np.savez_compressed(
            path,
            loss=history.loss_EN.astype(np.float16),
            margin=history.margin_EN.astype(np.float16),
            prediction=history.prediction_EN.astype(np.int16),
        )

    def save_network(self, path: Path, data: TrainingData, classes: Sequence[str]) -> None:
        """The trained weights with what is needed to use them; of several networks the last."""
        last = newest(self.directory / CHECKPOINT)
        assert last is not None, "a finished training has a checkpoint"
        # Where weights are averaged, the average is the network that judged the samples.
        weights: dict[str, AnyArray] = {}
        for prefix in ("network.", "average."):
            weights |= {
                name.removeprefix(prefix): array
                for name, array in last.arrays.items()
                if name.startswith(prefix) and not name.endswith(STEPS_MADE)
            }
        network = self.recipe.network if self.vector_NF is None else HEAD
        path.write_bytes(saved(weights, self.recipe, network, classes, np.asarray(data.image_NHWC)))


def _findings(outcome: Outcome) -> Findings:
    names = (field.name for field in dataclasses.fields(Findings))
    return Findings(**{name: getattr(outcome, name) for name in names})


def epoch_line(report: EpochReport) -> str:
    """An epoch as a line of the log: what the curves show, in numbers, and what is worth a remark."""
    numbers = (
        f"loss {report.train_loss:.3f}, agrees with {100 * report.train_accuracy:.1f} % of the labels, "
        f"noise rate {100 * report.noise_rate:.1f} %, {report.images_per_second:,.0f} images/s"
    )
    whose = f" (network {report.network})" if report.network > 1 else ""
    return " ".join([f"Epoch {report.epoch} of {report.epochs}{whose}: {numbers}.", *report.notes]).rstrip(
        "."
    )


def _recipe(run: Run) -> Recipe:
    try:
        set_ = {key: value for key, value in run.config.items() if key not in runs.OF_UPLOAD}
        return recipe(run.recipe, settings_of(set_) if "upload_id" in run.config else set_)
    except ValueError as error:
        raise BadInput("INVALID", str(error), hint="Start the run again with other settings.") from error


def _device(settings: Settings) -> str:
    try:
        return chosen_device(settings.device).name
    except ValueError as error:
        hint = "Set NOISE_AUDIT_DEVICE to one that this worker has, or to auto."
        raise BadInput("DEVICE_MISSING", str(error), hint=hint) from error


def execute(
    settings: Settings, artifacts: Artifacts, claimed: Claimed, run: Run, *, killed: bool = False
) -> None:
    """Execute one claimed run; after its process was `killed` with half the batch."""
    with scratch_folder(settings.data, f"run-{run.id}-{claimed.claim_id}") as folder:
        try:
            if run.recipe == PREDICTIONS:
                PredictedRun(settings, artifacts, claimed, run, folder).go()
            else:
                Training(settings, artifacts, claimed, run, folder, killed=killed).go()
        except TrainingStopped as stopped:
            raise Stopped from stopped
        except MissingBackbone as missing:
            hint = "Start it again with another network or weights none."
            raise BadInput("INVALID", str(missing), item="settings.network", hint=hint) from missing
        except OutOfMemory as error:
            hint = "Use a smaller width or image_size, or a machine with more memory."
            raise BadInput("OUT_OF_MEMORY", str(error), hint=hint) from error
        except Diverged as diverged:
            raise BadInput(
                "DIVERGED", str(diverged), hint="Start it again with other settings."
            ) from diverged


if __name__ == "__main__":
    sys.exit(enter(Run, partial(execute, killed=sys.argv[3:] == ["--smaller"]), sys.argv[1:3]))
