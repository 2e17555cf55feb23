"""The families of mixtures under one name; knows nothing itself."""

from worker.noise.beta import BetaMixture, beta_maximum_likelihood
from worker.noise.gaussian import GaussianMixture
from worker.noise.mixture import FEWEST_LOSSES, LARGEST, Mixture

__all__ = ["FEWEST_LOSSES", "LARGEST", "BetaMixture", "GaussianMixture", "Mixture", "beta_maximum_likelihood"]
