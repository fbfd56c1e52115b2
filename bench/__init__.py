"""What trueup costs, measured beside the limit and beside others, in the same run."""
