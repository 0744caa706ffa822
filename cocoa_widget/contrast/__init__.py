"""From the members of the bins to a score: directions, scores, and the means of modalities."""
