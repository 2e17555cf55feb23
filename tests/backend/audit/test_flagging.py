"""Counts at a threshold and the reasons in words."""

import numpy as np
import pytest

from backend.audit.flagging import Evidence, at_thresholds, flag, posterior_distribution, why

EVIDENCE = Evidence(
    given="cat",
    suggested="dog",
    loss=4.13,
    loss_of_class_N=np.concatenate([np.linspace(0, 4, 98), [4.13, 5, 6]]),
    prediction_E=["cat"] * 3 + ["dog"] * 8 + ["horse"] + ["dog"] * 3,
    neighbour_label_K=["dog"] * 7 + ["cat"],
    noise_posterior=0.9994,
    probability_given=0.02,
)


def test_the_reasons_are_sentences_with_the_numbers_in_them() -> None:
    assert why(EVIDENCE) == [
        "Loss 4.1 nats, higher than 98 % of the samples labelled cat.",
        "Predicted dog in 11 of the last 12 epochs.",
        "Never predicted its given label cat in them.",
        "7 of its 8 nearest neighbours are labelled dog.",
        "1 of them is labelled cat.",
        "After the last epoch the network gives cat 2.0 %.",
        "Noise posterior over 99.9 %: how probable a wrong label is.",
    ]


def test_the_reasons_speak_for_a_clean_sample_too() -> None:
    clean = EVIDENCE._replace(
        loss=0.012, prediction_E=["cat"] * 5, neighbour_label_K=["cat"] * 8, noise_posterior=0.004
    )
    assert why(clean)[:3] == [
        "Loss 0.012 nats, lower than 99 % of the samples labelled cat.",
        "Predicted cat in 5 of the last 5 epochs.",
        "8 of its 8 nearest neighbours are labelled cat.",
    ]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0"),
        (0.0004, "under 0.1"),
        (0.0046, "0.5"),
        (0.5, "50"),
        (0.994, "99.4"),
        (0.9994, "over 99.9"),
        (1.0, "100"),
    ],
)
def test_a_share_has_the_dashboards_digits(share: float, said: str) -> None:
    assert f"Noise posterior {said} %: how probable a wrong label is." in why(
        EVIDENCE._replace(noise_posterior=share)
    )


def test_what_follows_from_a_sentence_is_not_said_again() -> None:
    plain = EVIDENCE._replace(prediction_E=["dog"] * 12, neighbour_label_K=["dog"] * 8)
    assert why(plain)[1:3] == [
        "Predicted dog in 12 of the last 12 epochs.",
        "8 of its 8 nearest neighbours are labelled dog.",
    ]
    none = EVIDENCE._replace(neighbour_label_K=["dog"] * 6 + ["fox"] * 2)
    assert "None of them is labelled cat." in why(none)


def test_missing_numbers_leave_their_sentence_out_and_never_say_nan() -> None:
    bare = EVIDENCE._replace(
        loss=float("nan"),
        prediction_E=[],
        neighbour_label_K=[],
        probability_given=None,
        noise_posterior=float("nan"),
    )
    assert why(bare) == ["Noise posterior unknown: how probable a wrong label is."]


def test_the_highest_loss_and_the_only_sample_of_a_class_are_said_as_such() -> None:
    highest = EVIDENCE._replace(loss=7.0, loss_of_class_N=np.array([1.0, 2.0, 7.0]))
    assert why(highest)[0] == "Loss 7.0 nats, the highest of the 3 samples labelled cat."
    assert "the only sample labelled cat" in why(EVIDENCE._replace(loss_of_class_N=np.array([4.13])))[0]


def test_a_posterior_that_is_no_number_is_no_flag() -> None:
    assert flag(np.array([0.2, 0.5, np.nan, 0.9]), 0.5).tolist() == [False, True, False, True]


def test_expected_precision_and_recall_match_their_definition() -> None:
    posterior_N = np.random.default_rng(0).beta(0.5, 0.5, size=500)
    threshold_T = np.array([0.0, 0.25, 0.5, 0.9, 1.1])
    counts = at_thresholds(posterior_N, threshold_T)
    for position, threshold in enumerate(threshold_T[:-1]):
        chosen = posterior_N[posterior_N >= threshold]
        assert counts.flagged_T[position] == len(chosen)
        assert counts.expected_precision_T[position] == pytest.approx(chosen.mean())
        assert counts.expected_recall_T[position] == pytest.approx(chosen.sum() / posterior_N.sum())
    assert counts.flagged_T[-1] == 0
    assert counts.expected_precision_T[-1] == 1
    assert counts.expected_recall_T[-1] == 0


def test_no_samples_give_defined_counts() -> None:
    counts = at_thresholds(np.array([]), np.array([0.5]))
    assert counts.flagged_T.tolist() == [0]
    assert counts.expected_recall_T.tolist() == [1.0]


def test_the_bars_above_a_threshold_are_what_it_flags() -> None:
    rng = np.random.default_rng(0)
    posterior_N = np.concatenate([rng.beta(0.4, 0.6, 5000), np.arange(101) / 100])
    distribution = posterior_distribution(posterior_N, 0.437)
    assert int(distribution.count_B.sum()) == len(posterior_N)
    assert len(distribution.edge_B1) == len(distribution.count_B) + 1 == 101
    threshold_T = distribution.at.threshold_T.tolist()
    assert len(threshold_T) == 100
    assert threshold_T == sorted(threshold_T)
    for at, flagged in zip(threshold_T, distribution.at.flagged_T.tolist(), strict=True):
        assert flagged == int((posterior_N >= at).sum())
        if at != 0.437:
            assert flagged == int(distribution.count_B[distribution.edge_B1[:-1] >= at].sum())


def test_a_threshold_of_the_grid_or_none_is_not_listed_twice() -> None:
    posterior_N = np.linspace(0, 1, 50)
    assert len(posterior_distribution(posterior_N, 0.5).at.threshold_T) == 99
    assert len(posterior_distribution(posterior_N, None).at.threshold_T) == 99
