"""What stands behind a score: how stable it is, and the contribution of each member."""
