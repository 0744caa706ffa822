"""No window opens while figures are tested."""

import matplotlib as mpl

mpl.use("Agg")
